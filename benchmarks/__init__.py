"""Speed against naive code and against peers, as ratios measured side by side on one thread: `python -m benchmarks`."""

import os

# Before NumPy and torch are imported, which read them once.
os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
