"""What a model predicts beside words, held against what happened."""

from collections.abc import Callable, Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from likeness.calibration import Calibration, log_odds
from likeness.card import RunCard
from likeness.dialogue import CharacterTokenizer, encode_turns, join
from likeness.messages import Message
from training.config import TrainConfig
from training.foresight import Predicted, predict, reply_silences
from training.portions import Portion
from training.rows import WindowsBuilder
from training.run import train

Say = Callable[..., Message]


@given(st.floats(0.001, 0.999))
def test_without_numbers_nothing_is_set_right(probability: float) -> None:
    assert Calibration()(probability) == pytest.approx(probability)
    assert Calibration(2, 0)(probability) == pytest.approx(
        1 / (1 + np.exp(-2 * log_odds(probability)))
    )


def test_a_model_too_sure_of_itself_is_set_right() -> None:
    dice = np.random.default_rng(3)
    truth = dice.uniform(0.05, 0.95, 8000)
    happened = dice.uniform(size=8000) < truth
    odds = np.log(truth / (1 - truth))
    too_sure = 1 / (1 + np.exp(-(3 * odds + 1)))
    predicted = Predicted(too_sure, happened)
    fitted = predicted.fit()
    assert fitted.slope == pytest.approx(1 / 3, abs=0.03)
    for tenth in predicted.reliability(fitted):
        assert tenth["happened"] == pytest.approx(tenth["said"], abs=0.08)
    assert sum(tenth["times"] for tenth in predicted.reliability(fitted)) == 8000
    worst = max(abs(t["happened"] - t["said"]) for t in predicted.reliability(Calibration()))
    assert worst > 0.15


def test_too_few_outcomes_set_nothing_right() -> None:
    assert Predicted(np.full(60, 0.2), np.arange(60) < 20).fit() == Calibration()


class _Oracle:
    """A model of characters that predicts every token that `sure` names."""

    device = torch.device("cpu")

    def __init__(self, sure: dict[str, str]) -> None:
        self._next = {ord(a): b for a, b in sure.items()}

    def __call__(self, input_ids: torch.Tensor, **_: object) -> SimpleNamespace:
        tokenizer = CharacterTokenizer()
        logits = torch.zeros(*input_ids.shape, 0x110000 + 40)
        for row, ids in enumerate(input_ids.tolist()):
            for column, id_ in enumerate(ids):
                if id_ in self._next:
                    logits[row, column, tokenizer.tag(self._next[id_])] = 5.0
        return SimpleNamespace(logits=logits)


def test_only_what_others_do_tells_whether_they_had_finished(say: Say) -> None:
    tokenizer = CharacterTokenizer()
    talk = [
        say("ann", "a."), say("ann", "b!"), say("me", "c."), say("me", "d."),
        say("bob", "e!"), say("ann", "f!"), say("me", "g!"),
    ]  # fmt: skip
    windows = WindowsBuilder()
    windows.add(join(encode_turns(talk, tokenizer), tokenizer))
    oracle: Any = _Oracle({".": "<msg>", "!": "\n", "\n": "<speaker1>"})
    found = predict(oracle, windows.windows(), tokenizer)
    assert found["finished"].happened.tolist() == [False, True, True, True]
    assert np.round(found["finished"].likely).tolist() == [0, 1, 1, 1]
    # After ann I spoke, after me bob, after bob ann, after ann I.
    assert found["my_turn"].happened.tolist() == [True, False, False, True]
    assert (found["my_turn"].likely > 0.9).all()


def test_my_silences_are_the_usual_ones(say: Say) -> None:
    talk = [
        say("ann", "1"), say("me", "2", after=10), say("ann", "3", after=10),
        say("me", "4", after=1000), say("ann", "5"), say("me", "6", after=40),
    ]  # fmt: skip
    found = reply_silences([Portion(talk, 3)])
    assert found[""] == pytest.approx(20)
    assert found["<after:minutes>"] == pytest.approx(1000)
    assert found["<after:days>"] == 86_400


@pytest.mark.slow
def test_a_run_leaves_what_it_predicts_in_its_card(
    chat: list[Message], write: Callable[[Iterable[Message]], Path],
    tiny: Callable[..., TrainConfig], memory: Any, tmp_path: Path,
) -> None:  # fmt: skip
    config = tiny("epochs=1", "held_out_share=0.3")
    run = tmp_path / "me"
    train(write(chat), run, base="scratch", config=config, speaker=None, resume=False, watch=memory)
    foresight = RunCard.read(run).foresight
    assert foresight["finished"] == [1.0, 0.0]  # far too few to say otherwise
    assert foresight["silences"][""] == pytest.approx(30)
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "They have finished, says the model: how often it came true" in page
