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


@pytest.mark.parametrize("name", ["httpx", "torch._subclasses.fake_tensor", "transformers.models"])
def test_what_libraries_tell_of_themselves_is_no_news(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    logging.getLogger(name.partition(".")[0]).setLevel(logging.NOTSET)  # as if not yet imported
    configure_logging(debug=True)
    assert not logging.getLogger(name).isEnabledFor(logging.INFO)
    assert logging.getLogger(name).isEnabledFor(logging.WARNING)
