"""What the engine asks is how what training taught begins."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.engine import Sampling
from bot.engine.asking import ask
from likeness.card import RunCard
from likeness.dialogue import CharacterTokenizer, encode_turns, join
from likeness.masking import mask
from likeness.messages import Message
from tests.examples import examples

GAP = 3600.0
TOKENIZER = CharacterTokenizer()
KINDS = ["text", "text", "text", "media", "forwarded", "automated", "deleted"]
WORDS = st.text(min_size=1, max_size=12) | st.sampled_from(
    [
        "<speaker1> no",
        "a<msg>b",
        "two\nlines",
        "\r\n",
        "<after:days>",
        "👩‍🚀",
        "<|endoftext|>",
        "call 0170 1234567",
        "ann@mail.example",
    ]
)
CARD = RunCard(name="t", me="Robin", base="scratch", context_tokens=20_000, gap_seconds=GAP)


def made(speaker: int, text: str, kind: str, sent_at: datetime, number: int) -> Message:
    parts: dict[str, Any] = {"kind": kind, "outgoing": speaker == 0, "sent_at": sent_at}
    return Message(
        platform="telegram",
        chat_id="7",
        chat="Friends",
        id=str(number),
        speaker_id=f"user{speaker}" if speaker else "me",
        speaker=f"Name {speaker}",
        text=text,
        **parts,
    )


@st.composite
def chats(draw: st.DrawFn) -> tuple[list[Message], list[Message]]:
    """Draw a chat and the reply that followed, with a conversation's gap before some message."""
    lengths = st.lists(
        st.tuples(
            st.integers(0, 10),
            WORDS,
            st.sampled_from(KINDS),
            st.sampled_from([0, 1, 119, 120, 1800, 3600]),
        ),
        max_size=14,
    )
    past, reply = draw(lengths), draw(st.lists(WORDS.filter(str.strip), min_size=1, max_size=3))
    moment, messages = datetime(2024, 5, 1, tzinfo=UTC), []
    split_at = draw(st.integers(0, 20))
    for number, (speaker, text, kind, silence) in enumerate(past):
        moment += timedelta(seconds=GAP + 1 if number == split_at else silence)
        messages.append(made(speaker, text, kind, moment, number))
    moment += timedelta(seconds=draw(st.sampled_from([0, 5, 600, 3600])))
    said = [made(0, text, "text", moment, 100 + n) for n, text in enumerate(reply)]
    return messages, said


def newest_conversation(messages: list[Message]) -> list[Message]:
    first = 0
    for number in range(1, len(messages)):
        silence = messages[number].sent_at - messages[number - 1].sent_at
        if silence.total_seconds() > GAP:
            first = number
    return messages[first:]


@given(chat=chats(), room=st.integers(1, 200), masking=st.booleans())
@settings(max_examples=examples(300), deadline=None)
def test_the_prompt_is_a_prefix_of_what_training_taught(
    chat: tuple[list[Message], list[Message]], room: int, masking: bool
) -> None:
    messages, reply = chat
    sampling = Sampling(max_new_tokens=room)
    card = replace(CARD, settings={"mask": int(masking)})
    asked = ask(messages, TOKENIZER, card, sampling, reply[0].sent_at)
    said = newest_conversation(messages) + reply
    said = list(map(mask, said)) if masking else said
    taught = join(encode_turns(said, TOKENIZER), TOKENIZER).ids
    assert TOKENIZER.decode(taught).startswith(TOKENIZER.decode(asked))
    assert asked == taught[: len(asked)]


@given(chat=chats())
@settings(max_examples=examples(100), deadline=None)
def test_an_opening_stands_where_the_words_of_a_reply_stand(
    chat: tuple[list[Message], list[Message]],
) -> None:
    messages, reply = chat
    opening = reply[0].text.strip()
    said = [made(0, f"{opening} and more", "text", reply[0].sent_at, 100)]
    asked = ask(messages, TOKENIZER, CARD, Sampling(), said[0].sent_at, opening)
    taught = join(encode_turns(newest_conversation(messages) + said, TOKENIZER), TOKENIZER).ids
    assert asked == taught[: len(asked)]
    assert len(taught) - len(asked) == len(" and more\n")


def test_an_opening_is_hidden_as_what_was_said_is() -> None:
    card = replace(CARD, settings={"mask": 1})
    asked = ask([], TOKENIZER, card, Sampling(), opening="mine is 0170 7654321, and")
    assert TOKENIZER.decode(asked).endswith("mine is [number], and")
