"""Where a job says what it does."""

import logging
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

from unit_clusters_paper.runs.processor import processor


@contextmanager
def logged_to(path: str | Path, outputs: Iterable[str]) -> Iterator[None]:
    """Send log messages, warnings and all that is printed to the file; an error too, and then the process ends.

    Args:
        path: the log, written anew.
        outputs: the files that the job makes, whose names say what it does; the log starts with them.
    """
    with open(path, "w", encoding="utf-8", buffering=1) as file, redirect_stdout(file), redirect_stderr(file):
        logging.basicConfig(stream=file, level=logging.INFO, format="%(asctime)s %(message)s", force=True)
        logging.captureWarnings(True)
        logging.info("Making %s", ", ".join(outputs))
        logging.info("Processor: %s", processor())
        try:
            yield
        except Exception:
            logging.exception("This job failed.")
            sys.exit(1)
        logging.info("Done.")
