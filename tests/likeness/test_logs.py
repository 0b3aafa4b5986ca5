"""Where log lines go."""

import io
import logging
import sys

import pytest

from likeness.cli.logs import configure_logging


def test_a_line_goes_where_standard_error_goes_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # as if nobody had configured it
    configure_logging(debug=False)
    above_the_bar = io.StringIO()
    monkeypatch.setattr(sys, "stderr", above_the_bar)
    logging.getLogger("likeness").warning("half done")
    assert above_the_bar.getvalue().endswith("WARNING likeness: half done\n")
