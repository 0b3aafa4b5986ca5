"""A run that would gain by being compiled goes on without where torch cannot compile."""

import logging
from typing import Any

import pytest
import torch

from likeness.errors import BadSetting
from training import compiling
from training.compiling import can_compile

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


def _fail(*_: object) -> Any:
    raise RuntimeError("Failed to find C compiler. Please specify via CC environment variable.")


@pytest.fixture(params=["no triton", "no compiler"])
def lacking(request: Any, monkeypatch: pytest.MonkeyPatch) -> torch.device:
    """Have a machine on whose device torch cannot compile."""
    if request.param == "no triton":
        monkeypatch.setattr(compiling, "find_spec", lambda _: None)
        return CUDA
    monkeypatch.setattr(torch, "compile", lambda _: _fail)
    return CPU


def test_where_torch_cannot_compile_auto_says_so_and_goes_on(
    lacking: torch.device, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "training")  # another test may have left more to be told
    assert not can_compile("auto", lacking)
    (said,) = caplog.messages
    assert said.startswith("going on uncompiled: ")


def test_where_torch_cannot_compile_yes_is_refused(lacking: torch.device) -> None:
    with pytest.raises(BadSetting, match=r"compile=yes does not fit: .*; set compile=no"):
        can_compile("yes", lacking)


def test_what_compiles_is_compiled(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(torch, "compile", lambda function: function)
    assert can_compile("auto", CPU)
    assert not caplog.messages
