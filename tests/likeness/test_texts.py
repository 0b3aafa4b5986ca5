import pytest

from likeness.texts import counted, harmless, whole


@pytest.mark.parametrize(
    ("text", "expected"),
    [("plain", "plain"), ("fox 🦊", "fox 🦊"), ("\ud83e\udd8a \ud83e!", "🦊 \ufffd!"), ("", "")],
)
def test_two_halves_become_one_character_and_one_alone_none(text: str, expected: str):
    assert whole(text) == expected


def test_nothing_that_steers_a_terminal_stays_and_all_else_does():
    said = "".join(map(chr, range(0x250))) + "👩‍🚀\u200f\ud83d"
    steering = [*map(chr, range(32)), *map(chr, range(127, 160)), "\ud83d"]
    kept = [letter for letter in said if letter in "\n\t" or letter not in steering]
    assert [letter for letter in harmless(said) if letter != "\ufffd"] == kept
    assert len(harmless(said)) == len(said)


@pytest.mark.parametrize(
    ("count", "expected"), [(0, "0 chats"), (1, "1 chat"), (2, "2 chats"), (1200, "1,200 chats")]
)
def test_one_is_not_said_as_many(count: int, expected: str):
    assert counted(count, "chat") == expected
