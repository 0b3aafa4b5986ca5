"""However long a chat never falls silent, its messages teach once, after those before them."""

import gc
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from likeness.dialogue import CharacterTokenizer, Encoded
from likeness.errors import TrainingError
from likeness.messages import Message
from training import portions as portions_module
from training import rows
from training.config import TrainConfig
from training.corpus import Corpus, build_corpus
from training.portions import portions
from training.rows import WindowsBuilder
from training.survey import survey

Write = Callable[[Iterable[Message]], Path]


@pytest.fixture
def endless(say: Callable[..., Message], write: Write) -> Path:
    """Return a file of 300 messages a minute apart, each of a character of its own."""
    dice = random.Random(3)  # noqa: S311
    return write(
        say(dice.choice(["me", "ann", "bob"]), chr(0x4E00 + number) * dice.randint(1, 9), after=60)
        for number in range(300)
    )


def _build(path: Path, config: TrainConfig, context_tokens: int) -> Corpus:
    return build_corpus(path, survey(path), config, CharacterTokenizer(), context_tokens)


def _is_word(ids: Any) -> Any:
    return (ids >= 0x4E00) & (ids < 0x110000)


@pytest.mark.parametrize("share", [0.0, 0.3])
def test_a_chat_taken_in_parts_teaches_what_it_teaches_whole(
    endless: Path, monkeypatch: pytest.MonkeyPatch, share: float
) -> None:
    config = TrainConfig(held_out_share=share, context_weight=0)
    whole = _build(endless, config, 60)
    monkeypatch.setattr(portions_module, "MOST_MESSAGES", 40)
    monkeypatch.setattr(portions_module, "REPEATED_MESSAGES", 30)
    parted = _build(endless, config, 60)
    assert len(list(portions(endless, survey(endless), config))) > 5
    assert parted.balance == whole.balance
    assert parted.held_out_characters == whole.held_out_characters
    for one, other in ((whole.train, parted.train), (whole.held_out, parted.held_out)):
        words = [each.ids[(each.weights > 0) & _is_word(each.ids)] for each in (one, other)]
        assert Counter(words[0].tolist()) == Counter(words[1].tolist())


def test_each_conversation_has_one_part_that_goes_on_from_none(
    say: Callable[..., Message], write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portions_module, "MOST_MESSAGES", 10)
    monkeypatch.setattr(portions_module, "REPEATED_MESSAGES", 5)
    quiet = [say("ann" if number % 2 else "bob", "a", after=60) for number in range(15)]
    long = [say("ann" if number % 2 else "me", "b", after=60) for number in range(40)]
    path = write([*quiet, *long, say("ann", "c", after=10**7), say("me", "d")])
    parts = list(portions(path, survey(path), TrainConfig()))
    assert len(parts) > 4
    assert [place for place, part in enumerate(parts) if not part.goes_on] == [0, len(parts) - 1]


def test_a_later_part_has_context_from_the_one_before(
    endless: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portions_module, "MOST_MESSAGES", 40)
    monkeypatch.setattr(portions_module, "REPEATED_MESSAGES", 40)
    windows = _build(endless, TrainConfig(held_out_share=0), 200).train
    for start in windows.starts[1:-1]:
        # A quarter of the window, less what whole turns leave.
        assert np.argmax(windows.weights[start:] > 0) >= 25


def test_tokens_lie_on_the_disk_in_a_file_without_a_name(tmp_path: Path) -> None:
    builder = WindowsBuilder(tmp_path / "run", vocabulary=300)
    for first in (1, 4):
        builder.add(Encoded([first, 2, 3], [0.0, 0.1, 1.0]))
    windows = builder.windows()
    assert isinstance(windows.ids, np.memmap)
    assert windows.ids.dtype == np.uint16
    assert windows.ids.tolist() == [1, 2, 3, 4, 2, 3]
    assert windows.weights[1] == np.float32(0.1)
    assert list((tmp_path / "run").iterdir()) == []


def test_ids_beyond_sixteen_bits_are_kept_whole() -> None:
    builder = WindowsBuilder(vocabulary=1 << 17)
    builder.add(Encoded([1 << 16], [1.0]))
    assert builder.windows().ids.tolist() == [1 << 16]


def test_no_tokens_are_no_windows() -> None:
    windows = WindowsBuilder().windows()
    assert (len(windows), len(windows.ids)) == (0, 0)


def test_a_disk_without_room_for_the_tokens_is_said_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Full:
        def write(self, _: object) -> None:
            raise OSError(28, "No space left on device")

        def close(self) -> None:
            raise OSError(28, "No space left on device")

    said: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", said.append)
    monkeypatch.setattr(rows.tempfile, "TemporaryFile", lambda **_: Full())
    builder = WindowsBuilder()
    builder.add(Encoded([1], [1.0]))
    with pytest.raises(TrainingError, match="cannot be written to the disk: No space left"):
        builder.windows()
    del builder
    gc.collect()
    assert not said
