"""What a device cannot do is not asked of it: a Mac's GPU has no numbers of 64 bits."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from likeness.dialogue import CharacterTokenizer, Encoded
from training import held_out, memory
from training.evaluate import Judge
from training.foresight import predict
from training.held_out import keep_held_out
from training.memory import moved
from training.peak import finished
from training.rows import Batch, Windows, WindowsBuilder
from training.scored import Scored

CHARACTERS = CharacterTokenizer()


class OnMac(torch.Tensor):
    """Refuses 64 bits, as a tensor on a Mac's GPU does, until it is taken to the processor."""

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = super().__torch_function__(func, types, args, kwargs or {})
        if func is torch.Tensor.cpu:
            return found.as_subclass(torch.Tensor)
        if isinstance(found, torch.Tensor) and found.dtype == torch.float64:
            raise TypeError("the MPS framework doesn't support float64")
        return found


def _windows() -> Windows:
    builder = WindowsBuilder()
    for text in ("<|endoftext|><speaker2> a\n<speaker1> bc\n", "<|endoftext|><speaker1> d\n"):
        ids = CHARACTERS.encode(text)
        for tag in ("<|endoftext|>", "<speaker1>", "<speaker2>"):
            ids = _with_tag(ids, tag)
        builder.add(Encoded(ids, [1.0] * len(ids)))
    return builder.windows()


def _with_tag(ids: list[int], tag: str) -> list[int]:
    spelt = CHARACTERS.encode(tag)
    for start in range(len(ids) - len(spelt), -1, -1):
        if ids[start : start + len(spelt)] == spelt:
            ids = [*ids[:start], CHARACTERS.tag(tag), *ids[start + len(spelt) :]]
    return ids


def _losses(batch: Batch) -> torch.Tensor:
    return torch.arange(int((batch.weights > 0).sum())).float().as_subclass(OnMac)


def _model(*, logits: int = 0) -> Any:
    def model(input_ids: torch.Tensor, **_: object) -> SimpleNamespace:
        made = torch.zeros(*input_ids.shape, logits).as_subclass(OnMac)
        return SimpleNamespace(logits=made)

    model.device = torch.device("cpu")  # type: ignore[attr-defined]
    model.training = False  # type: ignore[attr-defined]
    model.train = lambda *_, **__: None  # type: ignore[attr-defined]
    return model


def test_a_device_without_64_bits_is_evaluated_on() -> None:
    def scorer(batch: Batch) -> Scored:
        return Scored(_losses(batch).sum(), _losses(batch))

    scorer.model = _model()  # type: ignore[attr-defined]
    told: Any = scorer
    windows = _windows()
    found = Judge(windows, 3, CHARACTERS, batch_rows=1).evaluate(told)
    counts = [int((windows.batch([[row]]).weights > 0).sum()) for row in range(2)]
    every = np.concatenate([np.arange(count) for count in counts])
    assert found.loss == pytest.approx(every.mean())


def test_a_device_without_64_bits_predicts() -> None:
    found = predict(_model(logits=0x110000 + 40), _windows(), CHARACTERS)
    assert found["my_turn"].likely.dtype == np.float64
    assert len(found["my_turn"].likely)


def test_a_device_without_64_bits_keeps_held_out_windows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held_out, "token_losses", lambda _model, batch, _device: _losses(batch))
    keep_held_out(tmp_path, _model(), Judge(_windows(), 3, CHARACTERS, batch_rows=1))
    assert (tmp_path / "held_out.json").exists()


@pytest.mark.parametrize(("kind", "waits"), [("cuda", False), ("mps", True), ("cpu", True)])
def test_only_for_a_copy_to_cuda_nobody_waits(
    monkeypatch: pytest.MonkeyPatch, kind: str, waits: bool
) -> None:
    told: list[bool] = []

    class Numbers:
        def pin_memory(self) -> "Numbers":
            return self

        def to(self, _device: torch.device, *, non_blocking: bool) -> None:
            told.append(not non_blocking)

    monkeypatch.setattr(memory.torch, "from_numpy", lambda _: Numbers())
    moved(np.zeros(1), torch.device(kind))
    assert told == [waits]


def test_a_macs_gpu_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[bool] = []
    monkeypatch.setattr(torch.mps, "synchronize", lambda: waited.append(True))
    finished(torch.device("mps"))
    assert waited == [True]
