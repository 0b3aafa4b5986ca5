"""The in-process engine: repeatable, responsive, within bounds; a broken folder is one sentence."""

import asyncio
import json
import shutil
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, OpenAIGPTConfig, OpenAIGPTLMHeadModel

from bot.engine import Sampling, Trace, open_engine
from bot.engine.local import LocalEngine
from bot.engine.writing import Forward
from likeness.card import FILE_NAME, RunCard
from likeness.dialogue import END_OF_TURN, NEXT_MESSAGE, START, TAGS, Part
from likeness.errors import BadCard, LikenessError, ModelError, ModelNotFound, PromptVersionMismatch
from likeness.messages import Message
from likeness.tokenizer import FolderTokenizer

Make = Callable[..., Message]


@pytest.fixture
async def engine(tiny_model: Path) -> AsyncIterator[LocalEngine]:
    engine = LocalEngine.open(tiny_model, "cpu")
    yield engine
    await engine.close()


@pytest.fixture
def folder(tiny_model: Path, tmp_path: Path) -> Path:
    """Copy the tiny model, to break it."""
    return Path(shutil.copytree(tiny_model, tmp_path / "tiny"))


async def write(
    engine: LocalEngine, messages: list[Message], sampling: Sampling, **more: Any
) -> tuple[list[Part], Trace]:
    trace = Trace()
    parts = [part async for part in engine.reply(messages, sampling, trace=trace, **more)]
    return parts, trace


async def test_a_seed_gives_the_same_reply_whatever_else_is_written(
    engine: LocalEngine, message: Make
) -> None:
    def ask(text: str, seed: int | None) -> Any:
        return write(engine, [message(text)], Sampling(seed=seed, max_new_tokens=40))

    alone = [await ask(f"question {number}", seed=number) for number in range(4)]
    noise = [ask("something else", seed=None) for _ in range(5)]
    crowded = await asyncio.gather(
        *noise, *(ask(f"question {number}", seed=number) for number in range(4))
    )
    assert crowded[5:] == alone
    assert len({trace.output for _, trace in alone}) == 4


async def test_without_a_seed_replies_differ(engine: LocalEngine, message: Make) -> None:
    outputs = [(await write(engine, [message("hi")], Sampling()))[1].output for _ in range(4)]
    assert len(set(outputs)) > 1


async def test_greedy_is_what_transformers_generates(
    engine: LocalEngine, tiny_model: Path, message: Make
) -> None:
    _, trace = await write(
        engine, [message("hi there")], Sampling(temperature=0, max_new_tokens=12), opening="so"
    )
    tokenizer = FolderTokenizer.load(tiny_model)
    model = AutoModelForCausalLM.from_pretrained(tiny_model, local_files_only=True).eval()
    ids = [
        *(tokenizer.tag(tag) for tag in (START, "<speaker2>")),
        *tokenizer.encode(" hi there"),
        *(tokenizer.tag(tag) for tag in (END_OF_TURN, "<speaker1>")),
        *tokenizer.encode(" so"),
    ]
    assert trace.prompt == tokenizer.decode(ids)
    given = torch.tensor([ids])
    banned = [[id_] for id_ in range(model.config.vocab_size) if id_ not in tokenizer.writable]
    found = model.generate(
        given,
        attention_mask=torch.ones_like(given),
        do_sample=False,
        max_new_tokens=12,
        bad_words_ids=banned,
        pad_token_id=0,
    )
    written = tokenizer.decode(found[0, len(ids) :].tolist())
    assert written.startswith(trace.output)
    assert trace.output


async def test_the_event_loop_goes_on_while_a_reply_is_written(
    engine: LocalEngine, message: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = 0
    at_token: list[int] = []
    forward = Forward.__call__

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0)

    def waiting_forward(self: Forward, ids: list[int]) -> torch.Tensor:
        seen = ticks
        while ticks < seen + 3:  # never true again if the loop were blocked
            pass
        at_token.append(ticks)
        return forward(self, ids)

    monkeypatch.setattr(Forward, "__call__", waiting_forward)
    ticker = asyncio.create_task(tick())
    await write(engine, [message("hi")], Sampling(seed=1, max_new_tokens=20))
    ticker.cancel()
    assert len(at_token) > 1
    assert at_token == sorted(set(at_token))


async def test_closing_a_reply_stops_the_model_within_a_token(
    engine: LocalEngine, message: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = 0
    closed = threading.Event()
    forward = Forward.__call__

    def waiting(self: Forward, ids: list[int]) -> torch.Tensor:
        nonlocal calls
        calls += 1
        if calls == 60:
            closed.wait()
        return forward(self, ids)

    monkeypatch.setattr(Forward, "__call__", waiting)
    tokenizer = engine._writer.tokenizer
    endless = torch.zeros_like(engine._writer.writable)
    endless[[tokenizer.tag(NEXT_MESSAGE), *tokenizer.encode("ab")]] = True
    engine._writer = replace(engine._writer, writable=endless)
    sampling = Sampling(max_new_tokens=120, seed=1)
    async with aclosing(engine.reply([message("hi")], sampling)) as parts:
        await anext(parts)
    closed.set()
    await engine.close()
    assert 1 < calls <= 60


async def test_no_token_is_written_that_stands_for_nothing(
    engine: LocalEngine, tiny_model: Path, message: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: set[int] = set()
    forward = Forward.__call__

    def noted(self: Forward, ids: list[int]) -> torch.Tensor:
        seen.update(ids)
        return forward(self, ids)

    monkeypatch.setattr(Forward, "__call__", noted)
    wild = Sampling(temperature=50, top_p=1, max_new_tokens=40)
    for seed in range(40):
        await write(engine, [message("hi")], replace(wild, seed=seed))
    assert len(seen) > 200
    assert seen <= FolderTokenizer.load(tiny_model).writable


async def test_a_reply_has_words_before_anything_can_end_it(
    engine: LocalEngine, message: Make
) -> None:
    ends = tuple(tag for tag in (START, END_OF_TURN, *TAGS))
    for seed in range(60):
        parts, trace = await write(
            engine, [message("hi")], Sampling(temperature=3, top_p=1, seed=seed)
        )
        assert parts, trace.output
        assert not trace.output.startswith(ends)
        assert all("\ufffd" not in part.text for part in parts)


async def test_prompt_and_reply_together_stay_within_the_card_s_length(
    engine: LocalEngine, message: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    fed: list[int] = []
    forward = Forward.__call__

    def measured(self: Forward, ids: list[int]) -> torch.Tensor:
        fed.append(len(ids))
        return forward(self, ids)

    monkeypatch.setattr(Forward, "__call__", measured)
    messages = [message(f"message number {n}", id=str(n), seconds=n) for n in range(60)]
    huge = [message("x" * 900)]
    for asked in (messages, huge, []):
        for room in (1, 80, 10_000):
            for opening in ("", "word " * 100):
                fed.clear()
                sampling = Sampling(seed=1, max_new_tokens=room)
                _, trace = await write(engine, asked, sampling, opening=opening)
                assert sum(fed) + 1 <= engine.card.context_tokens
                assert trace.prompt


async def test_the_prompt_holds_the_newest_conversation_in_whole_turns(
    engine: LocalEngine, message: Make
) -> None:
    messages = [
        message("long ago", id="1", seconds=-engine.card.gap_seconds - 1),
        message("hi", id="2"),
        message("there", id="3", seconds=1),
        message("yes?", id="4", seconds=2, speaker_id="me", outgoing=True),
        message("lunch?", id="5", seconds=400),
    ]
    _, trace = await write(engine, messages, Sampling(seed=1, max_new_tokens=4))
    assert trace.prompt == (
        "<|endoftext|><speaker2> hi<msg>there\n<speaker1> yes?\n"
        "<after:minutes><speaker2> lunch?\n<speaker1>"
    )


def test_a_model_without_a_cache_reads_the_whole_sequence() -> None:
    torch.manual_seed(0)
    config = OpenAIGPTConfig(vocab_size=50, n_positions=32, n_embd=16, n_layer=1, n_head=2)
    model = OpenAIGPTLMHeadModel(config).eval()
    forward = Forward(model)
    forward([1, 2, 3])
    stepwise = forward([4])
    with torch.inference_mode():
        whole = model(torch.tensor([[1, 2, 3, 4]])).logits[0, -1]
    torch.testing.assert_close(stepwise, whole)


def test_a_model_with_a_cache_reads_only_what_is_new(tiny_model: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny_model, local_files_only=True).eval()
    forward = Forward(model)
    forward([1, 2, 3])
    stepwise = forward([4])
    with torch.inference_mode():
        whole = model(torch.tensor([[1, 2, 3, 4]])).logits[0, -1]
    torch.testing.assert_close(stepwise, whole)


def _no_folder(folder: Path) -> None:
    shutil.rmtree(folder)


def _other_prompt(folder: Path) -> None:
    path = folder / FILE_NAME
    path.write_text(json.dumps(json.loads(path.read_text()) | {"prompt": 99}))


def _broken_weights(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:1000])


def _missing_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def _broken_config(folder: Path) -> None:
    (folder / "config.json").write_text('{"model_type":')


def _other_config(folder: Path) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"n_layer": 3}))


def _other_tokenizer(folder: Path) -> None:
    path = folder / "tokenizer.json"
    found = json.loads(path.read_text())
    found["model"]["vocab"]["beyond"] = 5000
    path.write_text(json.dumps(found))


def _no_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()


def _longer_card(folder: Path) -> None:
    replace(RunCard.read(folder), context_tokens=100_000).write(folder)


@pytest.mark.parametrize(
    ("harm", "error"),
    [
        (_no_folder, ModelNotFound),
        (_other_prompt, PromptVersionMismatch),
        (_broken_weights, ModelError),
        (_missing_weights, ModelError),
        (_broken_config, ModelError),
        (_other_config, ModelError),
        (_other_tokenizer, ModelError),
        (_no_tokenizer, BadCard),
        (_longer_card, ModelError),
    ],
)
def test_a_broken_folder_is_one_sentence(
    folder: Path, harm: Callable[[Path], None], error: type[LikenessError]
) -> None:
    harm(folder)
    with pytest.raises(error) as caught:
        open_engine(folder)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith((".", "`."))


def test_a_device_that_is_not_there_is_one_sentence(tiny_model: Path) -> None:
    for name in ("cuda:77", "abacus"):
        with pytest.raises(ModelError, match=f"no device '{name}'"):
            open_engine(tiny_model, name)
