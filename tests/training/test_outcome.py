"""At a run's end one model is in memory, not what was trained beside what is kept."""

import gc
import shutil
import weakref
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from likeness.card import OTHERS
from likeness.errors import Interrupted
from likeness.messages import Message
from likeness.quotes import OthersWords
from tests.training.conftest import Memory, learn
from training import outcome
from training.config import TrainConfig
from training.loop import Trainer
from training.run import train
from training.session import Session
from training.survey import Balance, survey


@pytest.mark.slow
def test_what_was_trained_is_gone_before_the_best_weights_come(
    chat: list[Message], write: Callable[[Iterable[Message]], Path],
    tiny: Callable[..., TrainConfig], memory: Any, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    moments: list[weakref.ref[torch.Tensor]] = []
    models: list[weakref.ref[Any]] = []
    best_weights, take_step = outcome._best_weights, Trainer.take_step

    def remember(self: Trainer) -> Any:
        taken = take_step(self)
        state = self._optimizer._adamw.state
        moments[:] = [weakref.ref(one["exp_avg"]) for one in state.values()]
        models[:] = [weakref.ref(self.model)]
        return taken

    def come(session: Session) -> Any:
        assert moments
        assert all(one() is None for one in moments)
        assert {one.device.type for one in session.base.model.parameters()} == {"meta"}
        return best_weights(session)

    monkeypatch.setattr(Trainer, "take_step", remember)
    monkeypatch.setattr(outcome, "_best_weights", come)
    told: dict[str, Any] = {"base": "scratch", "speaker": None, "resume": False, "watch": memory}
    train(write(chat), tmp_path / "run", config=tiny("epochs=1"), **told)
    gc.collect()
    assert [one() for one in models] == [None]


@pytest.mark.slow
def test_an_export_that_is_made_anew_meanwhile_changes_nothing_of_what_is_left(
    chat: list[Message], write: Callable[[Iterable[Message]], Path],
    tiny: Callable[..., TrainConfig], tmp_path: Path,
) -> None:  # fmt: skip
    class Exporting(Memory):
        def saved(self, path: Path) -> None:
            super().saved(path)
            write([replace(one, chat_id="another") for one in chat] + chat)

    cards = {}
    config = tiny("epochs=2", "held_out_share=0.3")
    for name, watch in (("still", Memory()), ("anew", Exporting())):
        cards[name] = learn(write(chat), tmp_path / name, watch, config)
    for kept in ("moments.jsonl", "words.txt", "model.safetensors"):
        assert (tmp_path / "still" / kept).read_bytes() == (tmp_path / "anew" / kept).read_bytes()
    assert replace(cards["still"], name="anew") == cards["anew"]


@pytest.mark.slow
def test_the_bot_lets_as_long_a_silence_pass_before_a_reply_as_training_did(
    chat: list[Message], write: Callable[[Iterable[Message]], Path],
    tiny: Callable[..., TrainConfig], memory: Any, tmp_path: Path,
) -> None:  # fmt: skip
    config = tiny("epochs=1", "gap_seconds=5000", "reply_gap_seconds=60", "report_replies=0")
    card = learn(write(chat), tmp_path / "run", memory, config)
    assert (card.gap_seconds, card.reply_gap_seconds) == (5000, 5000)


SECRET = "the key to the cabin is under the third stone"


def test_what_i_passed_on_is_still_what_others_wrote(
    say: Callable[..., Message], write: Callable[[Iterable[Message]], Path],
    tiny: Callable[..., TrainConfig], tmp_path: Path,
) -> None:  # fmt: skip
    told = [say("ann", SECRET), say("me", "oh"), say("ben", "where is it?")]
    passed_on = say("me", SECRET, kind="forwarded")
    path, config = write([*told, passed_on, say("me", "there")]), tiny()
    found = survey(path)
    balance = Balance(5, 3, 2, 0, {"forwarded": 1})
    outcome.keep(path, tmp_path / "run", found, balance, config)
    assert OthersWords.load(tmp_path / "run").quoted_in(SECRET)


@pytest.mark.slow
def test_who_goes_on_from_a_model_keeps_what_others_wrote_there(
    chat: list[Message], say: Callable[..., Message],
    write: Callable[[Iterable[Message]], Path], tiny: Callable[..., TrainConfig],
    tmp_path: Path,
) -> None:  # fmt: skip
    config, base, run = tiny("epochs=2", "report_replies=0"), tmp_path / "base", tmp_path / "run"
    learn(write([say("ann", SECRET), say("me", "oh"), *chat]), base, Memory(), config)
    told: dict[str, Any] = {"base": str(base)}
    path = write(chat)
    with pytest.raises(Interrupted):
        learn(path, run, Memory(interrupt_at=0), config, **told)
    shutil.rmtree(base)
    card = learn(path, run, Memory(), config, resume=True, **told)
    assert OthersWords.load(run).quoted_in(SECRET)
    assert card.data[OTHERS] == len(OthersWords.load(run).numbers)
