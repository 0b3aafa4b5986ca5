"""What a person types for the model to go on with: here alone tags mean what they say."""

import pytest

from likeness.dialogue import ME, START, TAGS, CharacterTokenizer, prompt, read_prompt

TOKENIZER = CharacterTokenizer()


@pytest.mark.parametrize(
    "begun",
    [
        "<speaker1>",
        "<speaker1> so",
        "<speaker1> yes<br> no<msg> and<br> then",
        "<speaker1> yes<msg>",
        "<after:hours><speaker1>",
        "<after:days><speaker1> so",
        "<speaker1> yes<msg><after:minutes> and",
    ],
)
def test_tags_on_the_last_line_of_a_typed_prompt_mean_what_they_say(begun: str) -> None:
    typed = f"{START}<speaker2> a\n{begun}"
    messages, opening, now = read_prompt(typed)
    ids = prompt(messages, TOKENIZER, 100, now=now, opening=opening)
    assert TOKENIZER.decode(ids) == typed
    assert all(TOKENIZER.tag(tag) in ids for tag in TAGS if tag in typed)


@pytest.mark.parametrize("space", ["", " "])
def test_a_typed_prompt_may_part_messages_and_lines_with_or_without_a_space(space: str) -> None:
    messages, _, _ = read_prompt(
        f"<speaker2> a<msg>{space}b<br>{space}c<msg><after:hours>{space}d\n{ME}"
    )
    assert [message.text for message in messages] == ["a", "b\nc", "d"]


def test_a_typed_prompt_without_tags_is_refused() -> None:
    with pytest.raises(ValueError, match="line 2"):
        read_prompt("<speaker2> hi\nwhat?")
