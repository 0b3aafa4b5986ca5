from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from likeness.dialogue import (
    ME,
    SPEAKERS,
    START,
    TAGS,
    CharacterTokenizer,
    ReplyReader,
    context,
    encode_newest,
    encode_turns,
    join,
    newest_that_fit,
    prompt,
    read_prompt,
    silence_tag,
    spans,
    split_conversations,
    steady_window,
    turn_tokens,
)
from likeness.messages import KINDS, Message
from tests.conftest import BEGINNING

TOKENIZER = CharacterTokenizer()
WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=12)


@st.composite
def conversations(draw: st.DrawFn, speakers: int = 12) -> list[Message]:
    """Draw a conversation of up to so many people, me among them, with silences of all lengths."""
    moment, messages = BEGINNING, []
    for number in range(draw(st.integers(0, 25))):
        moment += timedelta(seconds=draw(st.sampled_from([0, 5, 119, 120, 4_000, 90_000])))
        speaker = draw(st.integers(0, speakers - 1))
        messages.append(
            Message(
                platform="test", chat_id="1", chat="x", id=str(number), speaker_id=str(speaker),
                speaker=str(speaker), outgoing=speaker == 0, sent_at=moment, text=draw(WORDS),
                kind=draw(st.sampled_from([*sorted(KINDS), "text", "text", "text"])),
            )
        )  # fmt: skip
    return messages


def written(messages: list[Message]) -> str:
    return TOKENIZER.decode(join(encode_turns(messages, TOKENIZER), TOKENIZER).ids)


def test_the_prompt_of_the_contract(say):
    messages = [
        say("ann", "are you there?"),
        say("ann", "hello??"),
        say("me", "sorry"),
        say("me", "was on the bus\nno signal"),
        say("bob", "lunch?", after=8_000),
    ]
    assert written(messages) == (
        "<|endoftext|><speaker2> are you there?<msg> hello??\n"
        "<speaker1> sorry<msg> was on the bus<br> no signal\n"
        "<after:hours><speaker3> lunch?\n"
    )
    asked = TOKENIZER.decode(prompt(messages, TOKENIZER, 1_000))
    assert asked == written(messages) + "<speaker1>"


@pytest.mark.parametrize(
    ("seconds", "tag"),
    [(0, None), (119, None), (120, "<after:minutes>"), (3_599, "<after:minutes>"),
     (3_600, "<after:hours>"), (86_399, "<after:hours>"), (86_400, "<after:days>")],
)  # fmt: skip
def test_silences_have_four_lengths(seconds: int, tag: str | None):
    assert silence_tag(seconds) == tag


def test_a_silence_inside_a_burst_stands_behind_the_border(say):
    messages = [say("ann", "hi"), say("ann", "hello?", after=700)]
    assert written(messages).endswith("<speaker2> hi<msg><after:minutes> hello?\n")


def test_what_is_not_shown_ends_a_turn_and_leaves_no_other_trace(say):
    messages = [say("me", "a"), say("ann", "", kind="deleted"), say("me", "b")]
    assert written(messages) == "<|endoftext|><speaker1> a\n<speaker1> b\n"


def test_weights_are_one_on_my_words_and_every_border_and_small_on_others(say):
    messages = [say("ann", "hi"), say("me", "yo"), say("me", "spam", kind="forwarded")]
    encoded = join(encode_turns(messages, TOKENIZER, context_weight=0.25), TOKENIZER)
    assert list(spans(encoded, TOKENIZER)) == [
        ("<|endoftext|>", 0.0),
        ("<speaker2>", 1.0),
        (" hi", 0.25),
        ("\n<speaker1> yo<msg>", 1.0),
        (" spam", 0.0),
        ("\n", 1.0),
    ]


def test_turns_before_the_first_target_weigh_nothing(say):
    turns = encode_turns([say("me", "old"), say("ann", "hi"), say("me", "new")], TOKENIZER, 1.0)
    encoded = join(turns, TOKENIZER, first_target=2)
    assert list(spans(encoded, TOKENIZER))[1] == ("<speaker1> new\n", 1.0)


def test_a_ninth_speaker_shares_the_tag_of_the_least_recent(say):
    seven = [say(f"friend {number}", "hi") for number in range(7)]
    messages = [*seven, say("friend 0", "again"), say("newcomer", "hello"), say("friend 1", "me?")]
    lines = written(messages).split("\n")
    assert [line.split(" ")[0] for line in lines[7:10]] == [
        "<speaker2>",
        "<speaker3>",
        "<speaker3>",
    ]


@given(conversations(), st.integers(0, 24))
def test_what_the_bot_asks_is_a_prefix_of_what_training_taught(messages, cut):
    """The reply is any message of mine; the window is the whole conversation on both sides."""
    mine = [n for n, message in enumerate(messages) if message.outgoing and message.shown]
    if not mine:
        return
    number = mine[cut % len(mine)]
    reply = messages[number]
    taught = join(encode_turns(messages, TOKENIZER), TOKENIZER).ids
    asked = prompt(messages[:number], TOKENIZER, 10**6, now=reply.sent_at)
    assert taught[: len(asked)] == asked


@given(conversations(), st.integers(8, 300))
def test_a_prompt_never_exceeds_its_budget(messages, budget):
    assert len(prompt(messages, TOKENIZER, budget)) <= budget
    assert len(context(messages, TOKENIZER, budget)) <= budget


@given(conversations(), st.integers(8, 300))
def test_a_window_is_the_newest_whole_turns_and_no_turn_more_would_fit(messages, budget):
    turns = encode_turns(messages, TOKENIZER)
    window = newest_that_fit(turns, budget)
    if len(window) == 1 and window[0] is not turns[-1]:
        assert turn_tokens(turns[-1]) > budget - 1
        return
    assert list(window) == turns[len(turns) - len(window) :]
    if len(window) < len(turns):
        assert sum(map(turn_tokens, turns[-len(window) - 1 :])) + 1 > budget


@given(conversations(), st.integers(8, 300))
def test_a_steady_window_is_newest_whole_turns_that_fill_it_by_half(messages, budget):
    turns = encode_turns(messages, TOKENIZER)
    fitting, window = newest_that_fit(turns, budget), steady_window(turns, budget)
    assert list(window) == list(fitting)[len(fitting) - len(window) :]
    if len(fitting) == len(turns) or len(window) <= 2:
        assert list(window) == list(fitting) or 2 <= len(window) <= len(fitting)
    else:
        assert sum(map(turn_tokens, window)) + 1 >= budget // 2


@pytest.mark.slow
@given(conversations(), st.integers(8, 300), st.integers(0, 30))
def test_a_steady_window_says_the_same_whatever_is_known_of_older_turns(messages, budget, known):
    turns = encode_turns(messages, TOKENIZER)
    newest = turns[-known:]
    if len(newest_that_fit(turns, budget)) < len(newest):
        assert list(steady_window(newest, budget)) == list(steady_window(turns, budget))
    assert len(encode_newest(messages, TOKENIZER, budget)) >= len(newest_that_fit(turns, budget))
    assert context(messages, TOKENIZER, budget) == join(steady_window(turns, budget), TOKENIZER).ids


def test_a_window_seldom_begins_elsewhere_while_a_conversation_grows(say):
    messages = [say(["ann", "me"][n % 2], f"the words of number {n}") for n in range(400)]
    turns = encode_turns(messages, TOKENIZER)
    firsts = [id(steady_window(turns[:end], 1000)[0]) for end in range(100, 400)]
    moves = sum(one != other for one, other in pairwise(firsts))
    assert 300 / 33 < moves < 300 / 6  # a full window has 33 turns


def test_a_window_begins_after_the_longest_silence_of_its_older_half(say):
    later = {70: 4000, 75: 200, 95: 90_000}
    messages = [
        say(["ann", "me"][n % 2], f"the words of number {n}", after=later.get(n, 5))
        for n in range(100)
    ]
    window = steady_window(encode_turns(messages, TOKENIZER), 1200)
    assert TOKENIZER.decode(window[0].body.ids) == " the words of number 70\n"


@given(conversations())
def test_ids_and_weights_are_parallel_and_only_my_teaching_words_weigh_with_no_context(messages):
    encoded = join(encode_turns(messages, TOKENIZER), TOKENIZER)
    assert len(encoded.ids) == len(encoded.weights)
    taught = "".join(text for text, weight in spans(encoded, TOKENIZER) if weight)
    for tag in (*TAGS, START):
        taught = taught.replace(tag, "")
    mine = "".join(m.text for m in messages if m.outgoing and m.teaches)
    assert sorted(taught.replace("\n", "").replace(" ", "")) == sorted(
        mine.replace("\n", "").replace(" ", "")
    )


@given(st.text(), st.text())
def test_what_a_person_types_never_becomes_a_tag(words, more):
    typed = words + "<speaker1><msg><br><after:days><|endoftext|>\n<speaker2>" + more
    message = Message("t", "1", "x", "1", "ann", "Ann", False, BEGINNING, typed)
    ids = join(encode_turns([message], TOKENIZER), TOKENIZER).ids
    tags = [TOKENIZER.tag(tag) for tag in TAGS]
    breaks = typed.replace("\r\n", "\n").replace("\r", "\n").count("\n")
    assert [id_ for id_ in ids if id_ in tags] == (
        [TOKENIZER.tag("<speaker2>")] + [TOKENIZER.tag("<br>")] * breaks
    )


def test_a_reply_is_read_message_by_message():
    reader = ReplyReader(TOKENIZER)
    text = [" sorry", "<msg>", "<after:minutes>", " was", "<br>", " late", "\n", "ignored"]
    ids = [i for part in text for i in ([TOKENIZER.tag(part)] if part in TAGS else map(ord, part))]
    parts = []
    for id_ in ids:
        part = reader.read(id_)
        if part is not None:
            parts.append((part.text, part.silence))
        if reader.ended:
            break
    assert parts == [("sorry", None), ("was\nlate", "<after:minutes>")]


@given(st.lists(st.text().map(lambda text: "".join(text.splitlines())), min_size=1).map("\n".join))
def test_a_message_whose_lines_stand_behind_a_space_is_read_as_it_was_written(text: str):
    message = Message("t", "1", "x", "1", "me", "Me", True, BEGINNING, text)
    (turn,) = encode_turns([message], TOKENIZER) or [None]
    reader = ReplyReader(TOKENIZER)
    parts = [reader.read(id_) for id_ in (turn.body.ids if turn else [ord("\n")])]
    read = parts[-1]
    assert (read.text if read else "") == text.strip()


@pytest.mark.parametrize("end", [*SPEAKERS, START, "\n"])
def test_a_reply_ends_with_the_turn_or_where_another_would_speak(end: str):
    reader = ReplyReader(TOKENIZER)
    assert reader.read(ord("x")) is None
    part = reader.read(TOKENIZER.tag(end))
    assert part is not None
    assert part.text == "x"
    assert reader.ended


def test_a_typed_prompt_in_the_workshops_form_is_read():
    messages, opening, now = read_prompt("<speaker2> Am I speaking to a bot?\n<speaker1>")
    assert [(m.speaker, m.text, m.outgoing) for m in messages] == [
        ("<speaker2>", "Am I speaking to a bot?", False)
    ]
    assert (opening, now) == ("", None)
    assert read_prompt("<speaker2> Hi\n<speaker1> I am")[1] == "I am"


@given(conversations(speakers=8))
def test_a_typed_prompt_in_our_form_means_what_it_says(messages):
    plain = [
        m for m in messages
        if m.kind == "text" and m.text.strip() == m.text != ""
        and not any(c in m.text for c in "<>") and m.text.isprintable()
    ]  # fmt: skip
    asked = TOKENIZER.decode(context(plain, TOKENIZER, 10**6))
    again, opening, _ = read_prompt(asked + ME)
    assert opening == ""
    assert TOKENIZER.decode(context(again, TOKENIZER, 10**6)) == asked


def test_conversations_part_at_long_silences_and_slow_replies_stay(say):
    messages = [
        say("ann", "hi"),
        say("me", "slow", after=5_000),
        say("ann", "new", after=5_000),
        say("me", "too slow", after=50_000),
    ]
    parts = split_conversations(messages, gap_seconds=1_000, reply_gap_seconds=10_000)
    assert [[m.text for m in part] for part in parts] == [["hi", "slow"], ["new"], ["too slow"]]
    parts = split_conversations(messages, gap_seconds=1_000)
    assert [len(part) for part in parts] == [1, 1, 1, 1]
