"""A reply holds words of whole characters, in the prompt's form, and nothing else."""

from collections.abc import Iterator

import numpy as np
import pytest
import tokenizers
from hypothesis import given
from hypothesis import strategies as st

from bot.engine.grammar import Grammar, Position, readable, unfinished
from likeness.dialogue import END_OF_TURN, LINE_BREAK, NEXT_MESSAGE, SILENCES, SPEAKERS, START
from likeness.tokenizer import FolderTokenizer

ENDS = (END_OF_TURN, NEXT_MESSAGE, LINE_BREAK)


def allowed(position: Position, banned: list[int] | None = None) -> set[int]:
    vocabulary = max(position.grammar.tokenizer.writable) + 8  # type: ignore[attr-defined]
    logits = np.zeros(vocabulary, np.float32)
    return set(np.flatnonzero(position.allow(logits, banned or []) > -np.inf).tolist())


def after(grammar: Grammar, text: str, *tags: str) -> Position:
    position = Position(grammar)
    position.read(grammar.tokenizer.encode(text))
    position.read([grammar.tokenizer.tag(tag) for tag in tags])
    return position


def tags(grammar: Grammar, names: Iterator[str] | tuple[str, ...]) -> set[int]:
    return {grammar.tokenizer.tag(name) for name in names}


def test_a_message_begins_with_words(grammar: Grammar) -> None:
    for position in (Position(grammar), after(grammar, " "), after(grammar, "hi", NEXT_MESSAGE)):
        found = allowed(position)
        assert not found & tags(grammar, ENDS)
        assert grammar.tokenizer.encode("a")[0] in found
    assert tags(grammar, ENDS) <= allowed(after(grammar, "hi"))


def test_a_silence_stands_only_before_a_later_message(grammar: Grammar) -> None:
    silences = tags(grammar, tuple(SILENCES))
    assert silences <= allowed(after(grammar, "hi", NEXT_MESSAGE))
    for position in (
        Position(grammar),
        after(grammar, "hi"),
        after(grammar, "hi", NEXT_MESSAGE, "<after:hours>"),
    ):
        assert not allowed(position) & silences


def test_nobody_else_speaks_in_a_reply_and_no_row_without_a_token(grammar: Grammar) -> None:
    writable = grammar.tokenizer.writable  # type: ignore[attr-defined]
    for position in (Position(grammar), after(grammar, "hi"), after(grammar, "hi", NEXT_MESSAGE)):
        found = allowed(position)
        assert not found & tags(grammar, (START, *SPEAKERS))
        assert found <= writable


@pytest.mark.slow
@given(st.text(st.characters(min_codepoint=0x80, exclude_categories=["Cs"]), min_size=1))
def test_a_character_is_never_left_in_the_middle(byte_tokenizer, text) -> None:
    tokenizer = FolderTokenizer(byte_tokenizer)
    vocabulary = max(tokenizer.writable) + 1
    grammar = Grammar(tokenizer, vocabulary, tokenizer.writable, tokenizer.fragments)
    position, seen = Position(grammar), b""
    byte_of = {id_: made for id_, made in tokenizer.fragments.items() if len(made) == 1}
    for id_ in tokenizer.encode(text):
        possible = np.flatnonzero(position.allow(np.zeros(vocabulary, np.float32)) > -np.inf)
        fitting = {other for other, made in byte_of.items() if unfinished(seen + made) is not None}
        assert {other for other in possible.tolist() if other in byte_of} == fitting
        if seen:
            assert set(possible.tolist()) == fitting
        assert id_ in fitting
        position.read([id_])
        seen = unfinished(seen + byte_of[id_]) or b""
    assert not seen


def test_nothing_ends_between_the_parts_of_an_emoji(grammar: Grammar) -> None:
    joined = after(grammar, "look \U0001f469\u200d")
    assert not allowed(joined) & tags(grammar, ENDS)
    joined.read(grammar.tokenizer.encode("\U0001f680"))
    assert tags(grammar, ENDS) <= allowed(joined)


def test_what_is_banned_besides_is_left_out_but_never_inside_a_character(grammar: Grammar) -> None:
    (a,) = grammar.tokenizer.encode("a")
    assert a not in allowed(Position(grammar), [a])
    first, second, *_ = grammar.tokenizer.encode("é")
    position = Position(grammar)
    position.read([first])
    assert second in allowed(position, [second])


def test_without_a_token_that_goes_on_with_a_character_anything_may_come(
    tokenizer: FolderTokenizer,
) -> None:
    (first, _) = tokenizer.encode("é")
    vocabulary = max(tokenizer.writable) + 8
    grammar = Grammar(tokenizer, vocabulary, tokenizer.writable, {first: b"\xc3"})
    position = Position(grammar)
    position.read([first])
    assert len(allowed(position)) > 200


def test_the_fragments_of_a_tokenizer_are_its_tokens_without_whole_characters() -> None:
    alphabet = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    made = tokenizers.Tokenizer(tokenizers.models.BPE({a: n for n, a in enumerate(alphabet)}, []))
    made.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = tokenizers.decoders.ByteLevel()
    from likeness.dialogue import TAGS

    made.add_special_tokens([START, *TAGS])
    fragments = FolderTokenizer(made).fragments
    assert sorted(fragments.values()) == [bytes([byte]) for byte in range(0x80, 0x100)]
    for text in ("é", "ж", "😀", "\u0120"):
        ids = made.encode(text).ids
        assert b"".join(fragments[id_] for id_ in ids).decode() == text


@pytest.mark.parametrize(
    ("text", "left"),
    [(b"", b""), (b"a", b""), (b"a\xf0\x9f", b"\xf0\x9f"), (b"\xc3\xa9", b""), (b"\xa9", None)],
)
def test_unfinished_tells_what_begins_a_character(text: bytes, left: bytes | None) -> None:
    assert unfinished(text) == left


def test_readable_leaves_no_half_characters_and_no_half_emoji() -> None:
    assert readable(" hi \ufffd\ufffd") == "hi"
    assert readable("\U0001f469\u200d") == "\U0001f469"
    assert readable("\ufffd \n") == ""
