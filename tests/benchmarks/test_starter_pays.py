"""What the starter's worth is measured by: people's newest messages, and equal steps."""

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.starter.fine_tuning import task, write_demo
from benchmarks.starter.people import write_chat
from benchmarks.starter.replies import replies
from likeness.files import read_messages
from likeness.messages import Message
from training.base import SCRATCH

TINY = ("layers=1", "width=16", "heads=2", "vocabulary=300", "context_tokens=64")


def test_a_chat_is_cut_to_its_newest_messages_of_mine(
    tmp_path: Path, say: Callable[..., Message]
) -> None:
    chat = [say("me" if number % 3 == 0 else "ann", f"so {number}") for number in range(30)]
    path = tmp_path / "messages.jsonl"
    assert write_chat(chat, 4, path) == 4
    texts = [message.text for message in read_messages(path)]
    assert texts == [f"so {number}" for number in range(18, 30)]
    assert write_chat(chat, 99, path) == 10
    assert len({message.id for message in read_messages(path)}) == 30


@pytest.mark.slow
def test_a_fine_tuning_takes_as_many_steps_as_it_is_told_and_gets_better(tmp_path: Path) -> None:
    messages = write_demo(tmp_path)
    from_nothing = task(messages, SCRATCH, TINY)
    short, longer = from_nothing.fine_tune(1), from_nothing.fine_tune(12)
    assert (short.steps, longer.steps) == (1, 12)
    assert longer.nats_per_character < short.nats_per_character


@pytest.mark.slow
def test_replies_answer_moments_that_were_held_out(tmp_path: Path) -> None:
    messages = write_demo(tmp_path)
    moments, answers = replies(messages, tmp_path / "run", SCRATCH, (*TINY, "epochs=0.01"))
    assert len(moments) == len(answers) > 20
    assert all(moment.mine[0].speaker == "Juno" for moment in moments)
