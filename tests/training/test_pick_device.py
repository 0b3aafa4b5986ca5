"""A device that does not compute, or holds too little, is said in one sentence or passed over."""

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import GPT2LMHeadModel

from likeness.dialogue import Encoded
from likeness.errors import BadSetting, TrainingError
from training import device
from training.base import quiet
from training.config import TrainConfig
from training.device import pick_device
from training.loop import Trainer
from training.plan import Plan
from training.precision import pick_width
from training.rows import WindowsBuilder


@pytest.fixture
def old_card(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a GPU for which torch has no kernels."""

    def refuse(place: torch.device) -> None:
        if place.type == "cuda":
            raise RuntimeError("CUDA error: no kernel image is available for execution")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(device, "_try", refuse)


def test_auto_takes_the_processor_where_torch_has_no_kernels_for_the_card(
    old_card: None, caplog: pytest.LogCaptureFixture
) -> None:
    assert pick_device("auto").type == "cpu"
    (said,) = caplog.messages
    assert "going on with the processor" in said


@pytest.mark.parametrize("name", ["hpu", "privateuseone", "meta", "abacus"])
def test_a_device_that_is_not_here_is_refused(name: str) -> None:
    with pytest.raises(BadSetting, match=f"device={name} does not fit"):
        pick_device(name)


def test_a_card_that_is_named_and_cannot_compute_is_refused(old_card: None) -> None:
    with pytest.raises(BadSetting, match="device=cuda does not fit"):
        pick_device("cuda")


@pytest.mark.parametrize("full", ["the model", "its moments"])
def test_a_memory_that_does_not_hold_the_model_is_said_in_one_sentence(
    plain_gpt2: Path, monkeypatch: pytest.MonkeyPatch, full: str
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 6.23 GiB")

    with quiet():
        model = GPT2LMHeadModel.from_pretrained(plain_gpt2)
    builder = WindowsBuilder()
    builder.add(Encoded([1] * 9, [1.0] * 9))
    where, name = (GPT2LMHeadModel, "to") if full == "the model" else (torch, "zeros_like")
    monkeypatch.setattr(where, name, refuse)
    with pytest.raises(TrainingError, match="take a smaller base, set method=lora"):
        Trainer(model, Plan(builder.windows(), TrainConfig()), torch.device("cpu"))


def test_16_bits_are_asked_of_the_card_that_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    cards = [(8, 0), (7, 5)]
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda place: cards[place.index])
    monkeypatch.setattr(torch.version, "hip", None)
    widths = [pick_width("auto", torch.device(f"cuda:{number}")) for number in range(2)]
    assert widths == [torch.bfloat16, torch.float32]
    monkeypatch.setattr(torch.version, "hip", "7.0")
    assert pick_width("auto", torch.device("cuda:1")) == torch.bfloat16
