"""What teaches teaches once, in the prompt's form, and nothing held out is ever seen."""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from likeness.dialogue import SPEAKERS, CharacterTokenizer, prompt
from likeness.errors import MessagesError, NothingToLearn, OwnerUnknown
from likeness.messages import Message
from tests.examples import examples
from training.config import TrainConfig
from training.corpus import Corpus, build_corpus
from training.portions import portions
from training.rows import Windows
from training.survey import survey

Said = tuple[str, str, float, int, str]
CHARACTERS = CharacterTokenizer()
Write = Callable[[Iterable[Message]], Path]


def _message(number: int, said: Said, sent_at: datetime) -> Message:
    """Invent a message whose every character is its own, so that it can be found in rows."""
    speaker, chat, _, length, kind = said
    return Message(
        platform="test", chat_id=chat, chat=chat, id=str(number), speaker_id=speaker,
        speaker=speaker, outgoing=speaker == "me", sent_at=sent_at,
        text=chr(0x4E00 + number) * length, kind=kind,  # type: ignore[arg-type]
    )  # fmt: skip


def _messages(said: list[Said]) -> list[Message]:
    moment = datetime(2024, 1, 1, tzinfo=UTC)
    found = []
    for number, one in enumerate(sorted(said, key=lambda one: one[1])):
        moment += timedelta(seconds=one[2])
        found.append(_message(number, one, moment))
    return found


SAID = st.tuples(
    st.sampled_from(["me", "me", "me", "ann", "bob"]),
    st.sampled_from("ab"),
    st.sampled_from([1.0, 1.0, 1.0, 200.0, 5000.0, 50_000.0, 400_000.0]),
    st.integers(0, 40),
    st.sampled_from(["text"] * 6 + ["media", "forwarded", "automated", "deleted"]),
)


def _build(path: Path, config: TrainConfig, context_tokens: int) -> Corpus:
    return build_corpus(path, survey(path), config, CHARACTERS, context_tokens)


def _taught(rows: Windows, weight: float) -> Counter[int]:
    """Count, for each character, how often it stands in rows with a weight."""
    return Counter(rows.ids[rows.weights == np.float32(weight)].tolist())


@pytest.mark.slow
@settings(max_examples=examples(150), deadline=None, suppress_health_check=list(HealthCheck))
@given(
    said=st.lists(SAID, min_size=1, max_size=60),
    context_tokens=st.integers(48, 200),
    share=st.sampled_from([0.0, 0.1, 0.4]),
)
@example([("me", "a", 1.0, 30, "text")] * 40, 48, 0.3)
@example(
    [("me", "a", 1.0, 10, "text")] * 8
    + [("ann", "a", 1.0, 2, "text"), ("me", "a", 1.0, 2, "text")] * 3,
    48,
    0.0,
)
@example([("ann", "a", 200.0, 9, "text"), ("me", "a", 1.0, 40, "text")] * 20, 50, 0.1)
def test_every_target_is_taught_exactly_once_and_nothing_held_out_is_seen(
    tmp_path_factory: pytest.TempPathFactory, said: list[Said], context_tokens: int, share: float
) -> None:
    path = tmp_path_factory.mktemp("chats") / "messages.jsonl"
    messages = _messages(said)
    path.write_text("".join(message.to_json() + "\n" for message in messages), "utf-8")
    config = TrainConfig(context_weight=0.5, held_out_share=share)
    try:
        corpus = _build(path, config, context_tokens)
    except NothingToLearn:
        return
    train, held_out = _taught(corpus.train, 1), _taught(corpus.held_out, 1)
    for message in messages:
        teaches = message.outgoing and message.teaches
        ours = ord(message.text[0]) if message.text else -1
        expected = [0, len(message.text)] if teaches else [0, 0]
        assert sorted([train[ours], held_out[ours]]) == expected
    unseen = {
        ord(message.text[0])
        for portion in portions(path, survey(path), config)
        for message in portion.messages[portion.held_out_from :]
        if message.text
    }
    assert not unseen & set(corpus.train.ids.tolist())
    assert corpus.train.lengths.max() <= context_tokens
    balance = corpus.balance
    assert balance.mine == balance.train + balance.held_out + sum(balance.left_out.values())
    assert balance.mine == sum(message.outgoing is True for message in messages)
    assert balance.shortened == 0


@settings(max_examples=examples(100), deadline=None, suppress_health_check=list(HealthCheck))
@given(
    lengths=st.lists(st.integers(1, 60), min_size=1, max_size=30),
    context_tokens=st.integers(16, 40),
    share=st.sampled_from([0.0, 0.3]),
)
def test_messages_longer_than_a_row_are_shortened_and_counted(
    tmp_path_factory: pytest.TempPathFactory, lengths: list[int], context_tokens: int, share: float
) -> None:
    path = tmp_path_factory.mktemp("chats") / "messages.jsonl"
    messages = _messages([("me", "a", 1.0, length, "text") for length in lengths])
    path.write_text("".join(message.to_json() + "\n" for message in messages), "utf-8")
    try:
        corpus = _build(path, TrainConfig(held_out_share=share), context_tokens)
    except NothingToLearn:
        return
    train, held_out = _taught(corpus.train, 1), _taught(corpus.held_out, 1)
    taught = train + held_out
    said = {ord(message.text[0]) for message in messages}
    assert corpus.held_out_characters == sum(held_out[character] for character in said)
    kept = [taught[ord(message.text[0])] for message in messages]
    assert all(1 <= some <= length for some, length in zip(kept, lengths, strict=True))
    assert corpus.balance.shortened == sum(
        some < length for some, length in zip(kept, lengths, strict=True)
    )
    assert corpus.train.lengths.max() <= context_tokens


def test_rows_hold_the_very_prompts_that_the_bot_asks_with(
    chat: list[Message], write: Write
) -> None:
    path = write(chat)
    corpus = _build(path, TrainConfig(held_out_share=0), 2000)
    conversations = [portion.messages for portion in portions(path, survey(path), TrainConfig())]
    assert len(conversations) == len(corpus.train) == 3
    for number, conversation in enumerate(conversations):
        row = corpus.train.ids[corpus.train.starts[number] : corpus.train.starts[number + 1]]
        for place, message in enumerate(conversation):
            if message.outgoing:
                asked = prompt(conversation[:place], CHARACTERS, 1900, now=message.sent_at)
                assert row[: len(asked)].tolist() == asked


def test_a_later_row_has_context_a_quarter_where_it_teaches_and_half_where_it_judges(
    say: Callable[..., Message], write: Write
) -> None:
    messages = [say("me" if number % 2 else "ann", "x" * 10) for number in range(200)]
    corpus = _build(write(messages), TrainConfig(held_out_share=0.5), 100)
    turn = len("<speaker1> " + "x" * 10)
    for rows, context in ((corpus.train, 25), (corpus.held_out, 50)):
        assert len(rows) > 9
        for number in range(1, len(rows)):
            weights = rows.weights[rows.starts[number] : rows.starts[number + 1]]
            assert len(weights) > 100 - turn
            assert np.argmax(weights > 0) >= context - turn
            if number < len(rows) - 1:
                assert np.argmax(weights > 0) <= context + 2 * turn


def test_a_single_conversation_is_split_inside_and_keeps_its_context(
    say: Callable[..., Message], write: Write
) -> None:
    messages = [say("me" if number % 2 else "ann", f"word{number}") for number in range(40)]
    corpus = _build(write(messages), TrainConfig(), 1000)
    assert (corpus.balance.train, corpus.balance.held_out) == (18, 2)
    held_out = CHARACTERS.decode(corpus.held_out.ids.tolist())
    assert "word3\n" in held_out
    assert "word37" in held_out
    assert "word37" not in CHARACTERS.decode(corpus.train.ids.tolist())
    assert corpus.held_out_characters == len("word37word39")


def test_a_burst_that_is_split_does_not_teach_that_it_ended(
    say: Callable[..., Message], write: Write
) -> None:
    corpus = _build(write([say("me", f"word{number}") for number in range(10)]), TrainConfig(), 500)
    assert CHARACTERS.decode(corpus.train.ids.tolist()).endswith("word8\n")
    assert corpus.train.weights[-1] == 0
    assert corpus.train.weights[-2] == 1


def test_three_messages_are_all_taught(say: Callable[..., Message], write: Write) -> None:
    corpus = _build(
        write([say("ann", "hi"), say("me", "yo"), say("me", "how?")]), TrainConfig(), 64
    )
    assert (corpus.balance.train, corpus.balance.held_out, len(corpus.held_out)) == (2, 0, 0)


def test_groups_keep_each_speaker_apart(say: Callable[..., Message], write: Write) -> None:
    corpus = _build(write([say("ann", "a"), say("bob", "b"), say("me", "c")]), TrainConfig(), 64)
    assert CHARACTERS.decode(corpus.train.ids.tolist()) == (
        f"<|endoftext|>{SPEAKERS[1]} a\n{SPEAKERS[2]} b\n{SPEAKERS[0]} c\n"
    )


def test_whoever_is_named_is_played(say: Callable[..., Message], write: Write) -> None:
    path = write([say("Ann", "a", outgoing=None, speaker_id="ann"), say("bob", "b", outgoing=None)])
    for name in ("ann", "Ann", "aNN"):
        found = survey(path, name)
        assert (found.me, found.targets.total()) == ("Ann", 1)


def test_an_unknown_name_lists_who_speaks(say: Callable[..., Message], write: Write) -> None:
    with pytest.raises(OwnerUnknown, match=r"'zoe'; these speak: ann, me"):
        survey(write([say("ann", "a"), say("me", "b")]), "zoe")


def test_a_file_without_an_owner_says_how_to_name_one(
    say: Callable[..., Message], write: Write
) -> None:
    with pytest.raises(OwnerUnknown, match=r"--me NAME.*--as NAME"):
        survey(write([say("ann", "a", outgoing=None)]))


def test_nothing_to_learn_is_said(say: Callable[..., Message], write: Write) -> None:
    with pytest.raises(NothingToLearn, match="no message is yours"):
        survey(write([say("ann", "a")]))
    with pytest.raises(NothingToLearn, match="none of the 2 messages of me"):
        survey(write([say("me", "a", kind="forwarded"), say("me", " ")]))
    alone = write([say("me", "a")])
    with pytest.raises(NothingToLearn, match="lower held_out_share"):
        _build(alone, TrainConfig(held_out_share=0.9), 64)


def test_lines_of_a_chat_that_lie_apart_are_refused(
    say: Callable[..., Message], write: Write
) -> None:
    path = write([say("me", "a"), say("me", "b", chat_id="2"), say("me", "c")])
    with pytest.raises(MessagesError, match="do not stand together"):
        survey(path)


def test_no_more_is_held_out_than_judging_needs(write: Write) -> None:
    said = [("me", chat, 1.0, 5, "text") for chat in "a" * 40 + "b" * 20]
    path = write(_messages(said))
    few = TrainConfig(held_out_share=0.5, held_out_most=6)
    balance = _build(path, few, 100).balance
    assert (balance.train, balance.held_out) == (54, 6)
    assert _build(path, TrainConfig(held_out_share=0.5), 100).balance.held_out == 30


def _a_chat_each(sizes: Iterable[int]) -> list[Message]:
    return _messages(
        [
            ("me", f"{chat:03}", 1.0, 5, "text")
            for chat, size in enumerate(sizes)
            for _ in range(size)
        ]
    )


def test_chats_too_small_for_a_share_of_their_own_hold_out_one_together(write: Write) -> None:
    path = write(_a_chat_each([5, 4, 1, 2, 3] * 8))
    balance = _build(path, TrainConfig(), 100).balance
    assert (balance.train, balance.held_out) == (108, 12)
    held_out = survey(path).held_out(TrainConfig())
    assert {int(chat) for (_, chat), count in held_out.items() if count} == set(range(28, 40))
    assert set(held_out.values()) == {0, 1}
    assert not survey(path).held_out(TrainConfig(held_out_share=0)).total()
    assert survey(path).held_out(TrainConfig(held_out_most=1)).total() == 1


def test_small_chats_change_nothing_of_what_others_hold_out(write: Write) -> None:
    held_out = survey(write(_a_chat_each([40, 9, 3, 1]))).held_out(TrainConfig())
    assert [count for _, count in sorted(held_out.items())] == [4, 1, 0, 0]
    held_out = survey(write(_a_chat_each([40, 5, 9, 3]))).held_out(TrainConfig())
    assert [count for _, count in sorted(held_out.items())] == [4, 0, 1, 1]
