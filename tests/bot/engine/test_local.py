"""The in-process engine: repeatable, responsive, within bounds; a broken folder is one sentence."""

import asyncio
import json
import shutil
import threading
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, LogitsProcessor

from bot.engine import Sampling, Trace, open_engine
from bot.engine.grammar import Position
from bot.engine.local import LocalEngine
from bot.engine.models import Reading
from bot.engine.native.packed import FILE_NAME as PACKED
from likeness.card import FILE_NAME, RunCard
from likeness.dialogue import END_OF_TURN, NEXT_MESSAGE, START, TAGS, Part
from likeness.errors import BadCard, LikenessError, ModelError, ModelNotFound, PromptVersionMismatch
from likeness.messages import Message
from likeness.tokenizer import FolderTokenizer

Make = Callable[..., Message]


@pytest.fixture
def folder(tiny_model: Path, tmp_path: Path) -> Path:
    """Copy the tiny model, without its weights of 8 bits, to break it."""
    packed = shutil.ignore_patterns(PACKED)
    return Path(shutil.copytree(tiny_model, tmp_path / "tiny", ignore=packed))


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

    alone = [await ask(f"question {number}", seed=number) for number in range(-1, 3)]
    noise = [ask("something else", seed=None) for _ in range(5)]
    crowded = await asyncio.gather(
        *noise, *(ask(f"question {number}", seed=number) for number in range(-1, 3))
    )
    assert crowded[5:] == alone
    assert len({trace.output for _, trace in alone}) == 4


async def test_without_a_seed_replies_differ(engine: LocalEngine, message: Make) -> None:
    outputs = [(await write(engine, [message("hi")], Sampling()))[1].output for _ in range(4)]
    assert len(set(outputs)) > 1


async def test_greedy_is_what_transformers_generates(tiny_model: Path, message: Make) -> None:
    engine = open_engine(tiny_model, "cpu")
    assert isinstance(engine, LocalEngine)
    _, trace = await write(
        engine, [message("hi there")], Sampling(temperature=0, max_new_tokens=12), opening="so"
    )
    await engine.close()
    tokenizer = FolderTokenizer.load(tiny_model)
    ids = [
        *(tokenizer.tag(tag) for tag in (START, "<speaker2>")),
        *tokenizer.encode(" hi there"),
        *(tokenizer.tag(tag) for tag in (END_OF_TURN, "<speaker1>")),
        *tokenizer.encode(" so"),
    ]

    class Rules(LogitsProcessor):
        def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
            position = Position(engine._grammar)
            position.read(input_ids[0, ids.index(tokenizer.tag("<speaker1>")) + 1 :].tolist())
            return torch.from_numpy(position.allow(scores[0].numpy()))[None]

    model = AutoModelForCausalLM.from_pretrained(tiny_model, local_files_only=True).eval()
    given = torch.tensor([ids])
    found = model.generate(
        given,
        attention_mask=torch.ones_like(given),
        do_sample=False,
        max_new_tokens=12,
        logits_processor=[Rules()],
        pad_token_id=0,
    )
    assert trace.prompt == tokenizer.decode(ids)
    assert tokenizer.decode(found[0, len(ids) :].tolist()).startswith(trace.output)
    assert trace.output


async def test_the_event_loop_goes_on_while_a_reply_is_written(
    engine: LocalEngine, toy: Any, message: Make
) -> None:
    ticks = 0
    at_token: list[int] = []

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0)

    def wait(_: object) -> None:
        seen = ticks
        while ticks < seen + 3:  # never true again if the loop were blocked
            pass
        at_token.append(ticks)

    toy.at_step = wait
    ticker = asyncio.create_task(tick())
    await write(engine, [message("hi")], Sampling(seed=1, max_new_tokens=20))
    ticker.cancel()
    assert len(at_token) > 1
    assert at_token == sorted(set(at_token))


def only(toy: Any, *ids: int) -> None:
    """Let a model write nothing but some tokens."""
    read = toy.read

    def narrowed(readings: Sequence[Reading]) -> list[Any]:
        found = read(readings)
        kept = [np.full_like(logits, -30.0) for logits in found]
        for logits, rest in zip(found, kept, strict=True):
            rest[:, list(ids)] = logits[:, list(ids)]
        return kept

    toy.read = narrowed


async def test_the_first_message_comes_while_the_rest_is_written_and_closing_stops_it(
    engine: LocalEngine, toy: Any, tokenizer: FolderTokenizer, message: Make
) -> None:
    closed = threading.Event()
    only(toy, tokenizer.tag(NEXT_MESSAGE), *tokenizer.encode("ab"))
    toy.at_step = lambda _: len(toy.steps) < 60 or closed.wait()
    sampling = Sampling(max_new_tokens=120, seed=1)
    async with aclosing(engine.reply([message("hi")], sampling)) as parts:
        assert (await anext(parts)).text
    closed.set()
    await engine.close()
    assert 1 < len(toy.steps) <= 60


async def test_a_reply_ends_when_its_time_is_over(
    engine: LocalEngine, toy: Any, tokenizer: FolderTokenizer, message: Make
) -> None:
    only(toy, *tokenizer.encode("ab"))
    parts, _ = await write(engine, [message("hi")], Sampling(max_seconds=0))
    assert [len(part.text) for part in parts] == [1]


@pytest.mark.slow
async def test_no_token_is_written_that_stands_for_nothing(
    engine: LocalEngine, toy: Any, tokenizer: FolderTokenizer, message: Make
) -> None:
    seen: set[int] = set()
    toy.at_step = lambda readings: seen.update(*(reading.ids for reading in readings))
    wild = Sampling(temperature=50, top_p=1, max_new_tokens=40)
    for seed in range(40):
        await write(engine, [message("hi")], replace(wild, seed=seed))
    assert len(seen) > 200
    assert seen <= tokenizer.writable


@pytest.mark.slow
async def test_a_reply_has_words_before_anything_can_end_it(
    engine: LocalEngine, message: Make
) -> None:
    ends = (START, END_OF_TURN, *TAGS)
    for seed in range(60):
        parts, trace = await write(
            engine, [message("hi")], Sampling(temperature=3, top_p=1, seed=seed)
        )
        assert parts, trace.output
        assert not trace.output.startswith(ends)
        assert all("\ufffd" not in part.text for part in parts)


@pytest.mark.slow
async def test_prompt_and_reply_together_stay_within_the_card_s_length(
    engine: LocalEngine, message: Make
) -> None:
    messages = [message(f"message number {n}", id=str(n), seconds=n) for n in range(60)]
    huge = [message("x" * 900)]
    for asked in (messages, huge, []):
        for room in (1, 80, 10_000):
            for opening in ("", "word " * 100):
                sampling = Sampling(seed=1, max_new_tokens=room)
                _, trace = await write(engine, asked, sampling, opening=opening)
                assert (
                    trace.prompt
                )  # that nothing longer than 256 is read, the model itself sees to


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
        "<|endoftext|><speaker2> hi<msg> there\n<speaker1> yes?\n"
        "<after:minutes><speaker2> lunch?\n<speaker1>"
    )


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
        (_broken_weights, BadCard),
        (_missing_weights, BadCard),
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
