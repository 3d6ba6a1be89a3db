"""What all tests share: numerical libraries take one thread, as in every job of the workflow."""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # read when they are imported, which is after this
