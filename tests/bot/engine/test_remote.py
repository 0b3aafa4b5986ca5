"""The remote engine, over a real socket: what is asked, what is said, what is tried again."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest
from aiohttp.test_utils import unused_port

from bot.engine import Sampling, Trace
from bot.engine.remote import RemoteEngine
from likeness.card import RunCard
from likeness.dialogue import NEXT_MESSAGE, SPEAKERS, START
from likeness.errors import ModelError
from likeness.tokenizer import FolderTokenizer
from tests.bot.engine.completions import Completions, serving, text

SECRET = "sk-nobody-may-see-this"
GREEDY = Sampling(temperature=0)


@pytest.fixture
def completions() -> Completions:
    return Completions()


@pytest.fixture
async def engine(
    completions: Completions, tokenizer: FolderTokenizer, toy_card: RunCard
) -> AsyncIterator[RemoteEngine]:
    async with serving(completions) as url:
        engine = RemoteEngine(toy_card, tokenizer, url, SECRET, patience_seconds=[0, 0])
        yield engine
        await engine.close()


async def said(engine: RemoteEngine, *messages: Any, **more: Any) -> list[str]:
    sampling = more.pop("sampling", GREEDY)
    return [part.text async for part in engine.reply(messages, sampling, **more)]


async def test_a_prompt_is_sent_as_ids_in_which_typed_tags_are_text(
    engine: RemoteEngine, completions: Completions, tokenizer: FolderTokenizer, message: Any
) -> None:
    trace = Trace()
    assert await said(engine, message("<speaker1> I owe you"), trace=trace) == ["one", "two"]
    (asked,) = completions.asked
    assert trace.prompt == tokenizer.decode(asked["prompt"])
    assert trace.output == " one<msg>two\n"
    assert asked["prompt"][:2] == [tokenizer.tag(START), tokenizer.tag("<speaker2>")]
    assert asked["prompt"].count(tokenizer.tag("<speaker1>")) == 1
    assert asked["model"] == "runs/me"
    assert asked["stream"] is True
    assert set(asked["logit_bias"]) == {str(tokenizer.tag(tag)) for tag in (START, *SPEAKERS)}


async def test_the_sampling_goes_with_it(
    engine: RemoteEngine, completions: Completions, message: Any
) -> None:
    sampling = Sampling(0.7, 40, 0.8, 0.05, 0.9, max_new_tokens=33, seed=-1)
    await said(engine, message("hi"), sampling=sampling)
    await said(engine, message("hi"))
    special, plain = completions.asked
    chosen = {"temperature": 0.7, "top_k": 40, "top_p": 0.8, "min_p": 0.05, "typical_p": 0.9}
    assert special.items() >= (chosen | {"max_tokens": 33, "seed": 2**31 - 1}).items()
    assert not {"typical_p", "seed"} & set(plain)
    # A server's own defaults would leave tokens out.
    assert plain.items() >= {"top_k": -1, "top_p": 0.9, "min_p": 0.0}.items()


async def test_the_first_message_comes_while_the_rest_is_written(
    engine: RemoteEngine, completions: Completions, message: Any
) -> None:
    rest = asyncio.Event()
    completions.replies.append([text(" first<msg>"), rest, text("second\n")])
    async with aclosing(engine.reply([message("hi")], GREEDY)) as parts:
        assert (await anext(parts)).text == "first"
        rest.set()
        assert [part.text async for part in parts] == ["second"]


async def test_each_message_may_be_awaited_by_another_task(
    engine: RemoteEngine, message: Any
) -> None:
    reply = engine.reply([message("hi")], GREEDY)
    tasks = [await asyncio.create_task(anext(reply, None)) for _ in range(3)]
    assert [part.text if part else None for part in tasks] == ["one", "two", None]


async def test_ids_are_taken_as_they_are(
    engine: RemoteEngine, completions: Completions, tokenizer: FolderTokenizer, message: Any
) -> None:
    ids = [*tokenizer.encode(" a<msg>b"), tokenizer.tag(NEXT_MESSAGE), *tokenizer.encode("ж")]
    completions.replies.append(
        [{"choices": [{"text": "?", "token_ids": [id_]}]} for id_ in ids] + [text("")]
    )
    assert await said(engine, message("hi")) == ["a<msg>b", "ж"]


async def test_a_reply_ends_at_a_newline_or_a_speaker_s_tag_whatever_follows(
    engine: RemoteEngine, completions: Completions, message: Any
) -> None:
    for end in ("\n", "<speaker2>", START):
        completions.replies.append([text(f" so{end} and more"), asyncio.Event()])
        assert await said(engine, message("hi")) == ["so"]


async def test_an_opening_is_part_of_the_prompt_and_of_the_first_message(
    engine: RemoteEngine, completions: Completions, tokenizer: FolderTokenizer, message: Any
) -> None:
    assert await said(engine, message("hi"), opening="Well") == ["Well one", "two"]
    assert tokenizer.decode(completions.asked[0]["prompt"]).endswith("<speaker1> Well")


async def test_a_server_that_has_no_time_is_asked_again(
    engine: RemoteEngine, completions: Completions, message: Any
) -> None:
    completions.refusals.extend([503, 429])
    assert await said(engine, message("hi")) == ["one", "two"]
    completions.replies.append([None])
    assert await said(engine, message("hi")) == ["one", "two"]
    assert len(completions.asked) == 5


async def test_after_some_tries_a_busy_server_is_one_sentence(
    engine: RemoteEngine, completions: Completions, message: Any
) -> None:
    completions.refusals.extend([503] * 9)
    with pytest.raises(ModelError, match=r"had no time.*\.$"):
        await said(engine, message("hi"))
    assert len(completions.asked) == 3


@pytest.mark.parametrize(
    ("status", "words"),
    [(400, "token ids.* as long"), (403, "key"), (404, "model folder"), (413, "long")],
)
async def test_a_refusal_is_one_sentence_and_final(
    engine: RemoteEngine, completions: Completions, message: Any, status: int, words: str
) -> None:
    completions.refusals.append(status)
    with pytest.raises(ModelError, match=rf"{words}.*HTTP {status}\)\.$"):
        await said(engine, message("hi"))
    assert len(completions.asked) == 1


async def test_a_server_that_cannot_name_its_model_is_asked_without_a_name(
    engine: RemoteEngine, completions: Completions, message: Any
) -> None:
    completions.names_its_model = False
    assert await said(engine, message("hi")) == ["one", "two"]
    completions.names_its_model = True
    assert await said(engine, message("hi")) == ["one", "two"]
    assert ["model" in asked for asked in completions.asked] == [False, True]


async def test_a_server_that_comes_back_with_another_name_for_its_model_is_asked_by_that(
    engine: RemoteEngine, completions: Completions, message: Any
) -> None:
    assert await said(engine, message("hi")) == ["one", "two"]
    completions.name = "/models/me"
    assert await said(engine, message("hi")) == ["one", "two"]
    assert [asked["model"] for asked in completions.asked] == ["runs/me", "runs/me", "/models/me"]


async def test_a_wrong_key_is_one_sentence_that_does_not_show_it(
    engine: RemoteEngine, completions: Completions, message: Any, caplog: Any
) -> None:
    completions.key = "another"
    with caplog.at_level(logging.DEBUG), pytest.raises(ModelError, match="KEY") as caught:
        await said(engine, message("words of mine"))
    completions.key = SECRET
    await said(engine, message("words of mine"))
    for told in (str(caught.value), caplog.text):
        assert SECRET not in told
        assert "words of mine" not in told


async def test_a_stream_that_breaks_off_after_words_is_not_written_twice(
    engine: RemoteEngine, completions: Completions, message: Any
) -> None:
    completions.replies.append([text(" first<msg>and th"), None])
    parts = engine.reply([message("hi")], GREEDY)
    assert (await anext(parts)).text == "first"
    with pytest.raises(ModelError, match="broke off"):
        await anext(parts)
    assert len(completions.asked) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<p>Log in: here</p>\n",
        b'{"choices": [{"text": " hello\\n"}]}',
        b'data: {"choices": [{"text": " hello"',
        b"data: " + b"x" * 2**22,
    ],
    ids=["nothing", "a page", "no stream", "half an event", "a line without end"],
)
async def test_an_answer_that_is_no_stream_of_events_is_a_fault_and_asked_for_again(
    engine: RemoteEngine, completions: Completions, message: Any, body: bytes
) -> None:
    completions.replies.append([body])
    assert await said(engine, message("hi")) == ["one", "two"]
    completions.replies.extend([[body]] * 3)
    with pytest.raises(ModelError, match=r"broke off.*\.$"):
        await said(engine, message("hi"))


async def test_a_stream_that_stops_amid_a_message_breaks_off_however_politely(
    engine: RemoteEngine, completions: Completions, message: Any
) -> None:
    completions.replies.append([text(" first<msg> and th"), b""])
    parts = engine.reply([message("hi")], GREEDY)
    assert (await anext(parts)).text == "first"
    with pytest.raises(ModelError, match="broke off"):
        await anext(parts)
    assert len(completions.asked) == 1


@pytest.mark.parametrize("event", ["no json", '{"error": {"message": "out of memory"}}', "[]"])
async def test_a_fault_told_in_the_stream_is_one_sentence(
    engine: RemoteEngine, completions: Completions, message: Any, event: str
) -> None:
    completions.replies.extend([[event]] * 3)
    with pytest.raises(ModelError, match=r"\.$"):
        await said(engine, message("hi"))


@pytest.mark.slow
async def test_a_reply_ends_when_its_time_is_over(
    engine: RemoteEngine, completions: Completions, message: Any
) -> None:
    sampling = Sampling(max_seconds=0.3)
    completions.replies.extend([[text(" so f"), asyncio.Event()], [asyncio.Event()]])
    assert await said(engine, message("hi"), sampling=sampling) == ["so f"]
    with pytest.raises(ModelError, match="in time"):
        await said(engine, message("hi"), sampling=sampling)


async def test_closing_a_reply_closes_the_connection(
    engine: RemoteEngine, completions: Completions, message: Any
) -> None:
    rest = asyncio.Event()
    completions.replies.append([text(" first<msg>"), rest, *[text("more ")] * 1000])
    async with aclosing(engine.reply([message("hi")], GREEDY)) as parts:
        await anext(parts)
    rest.set()
    await asyncio.wait_for(completions.left.wait(), 5)


async def test_closing_the_engine_ends_what_is_written(
    engine: RemoteEngine, completions: Completions, message: Any
) -> None:
    completions.replies.append([text(" first<msg>"), asyncio.Event()])
    reply = engine.reply([message("hi")], GREEDY)
    await anext(reply)
    await engine.close()
    assert await anext(reply, None) is None
    with pytest.raises(ModelError, match="closed"):
        await said(engine, message("hi"))


async def test_a_server_that_is_not_there_is_one_sentence(
    toy_card: RunCard, tokenizer: FolderTokenizer, message: Any
) -> None:
    engine = RemoteEngine(
        toy_card, tokenizer, f"http://127.0.0.1:{unused_port()}/v1/", patience_seconds=[0]
    )
    with pytest.raises(ModelError, match=r"/v1 cannot be reached.*\?$"):
        await said(engine, message("hi"))
    await engine.close()


@pytest.mark.parametrize(
    "url", ["http://", "http://127.0.0.1:99999", "http://127.0.0.1:x", "http://a..b"]
)
async def test_what_is_no_address_is_said_at_once(
    toy_card: RunCard, tokenizer: FolderTokenizer, message: Any, url: str
) -> None:
    engine = RemoteEngine(toy_card, tokenizer, url, patience_seconds=[600])
    with pytest.raises(ModelError, match=r"no address.*\.$"):
        await said(engine, message("hi"))
    await engine.close()


async def test_a_server_without_tls_is_told_of_at_once(
    toy_card: RunCard, tokenizer: FolderTokenizer, completions: Completions, message: Any
) -> None:
    async with serving(completions) as url:
        secure = url.replace("http://", "https://")
        engine = RemoteEngine(toy_card, tokenizer, secure, patience_seconds=[600])
        with pytest.raises(ModelError, match=r"no secure connection.*\?$"):
            await said(engine, message("hi"))
        await engine.close()
