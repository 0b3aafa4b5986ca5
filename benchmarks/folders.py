"""Folders that a benchmark is told of: where there is none, it says so in a sentence."""

import argparse
from pathlib import Path


def existing_folder(told: str) -> Path:
    """Return the folder that an argument names.

    Raises:
        ArgumentTypeError: There is none; argparse shows the sentence.
    """
    path = Path(told)
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {told} (see benchmarks/README.md)")
    return path
