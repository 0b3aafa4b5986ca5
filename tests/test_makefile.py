"""The README's two commands: a setup that failed begins anew."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.documents import REPOSITORY

WITHOUT_ENSUREPIP = """#!/bin/sh
if [ "$1" = -m ]; then mkdir -p .venv/bin; ln -sf /bin/sh .venv/bin/python; exit 1; fi
"""


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_an_environment_that_was_made_by_half_is_made_anew(tmp_path: Path) -> None:
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(REPOSITORY / name, tmp_path)
    python = tmp_path / "python"
    python.write_text(WITHOUT_ENSUREPIP, encoding="ascii")
    python.chmod(0o755)
    for _ in range(2):
        ran = subprocess.run(
            ["make", "demo", "PYTHON=./python"],  # noqa: S607
            cwd=tmp_path, env={"PATH": os.environ["PATH"]},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert ran.returncode
        assert "./python -m venv .venv" in ran.stdout
        assert "-m pip" not in ran.stdout
