"""Rows are full, nothing is cut, and no window sees another."""

import gzip
import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import (
    AutoModelForCausalLM,
    BloomConfig,
    GPT2Config,
    GPTNeoXConfig,
    LlamaConfig,
    OPTConfig,
    PreTrainedModel,
)

from likeness.dialogue import CharacterTokenizer, Encoded
from likeness.messages import Message
from training.config import TrainConfig
from training.corpus import build_corpus
from training.evaluate import Judge
from training.loop import Trainer
from training.loss import scorer_for, sees_apart, token_losses
from training.packing import epoch_batches, pack, sorted_batches
from training.plan import Plan
from training.rows import Windows, WindowsBuilder
from training.survey import survey

CPU = torch.device("cpu")
SMALL = {"num_hidden_layers": 2, "hidden_size": 32, "num_attention_heads": 4}
LENGTHS = st.lists(st.integers(1, 64), min_size=1, max_size=80)


def _model(config: object) -> PreTrainedModel:
    torch.manual_seed(0)
    model: PreTrainedModel = AutoModelForCausalLM.from_config(config)
    with torch.no_grad():
        # A trained model's predictions are far apart.
        model.get_input_embeddings().weight.mul_(10)
    return model.eval()


def _gpt2(**other: object) -> PreTrainedModel:
    shape = {"vocab_size": 300, "n_positions": 64, "n_embd": 32, "n_layer": 2, "n_head": 4}
    return _model(GPT2Config(**(shape | other)))


def _windows(lengths: list[int]) -> Windows:
    dice = np.random.default_rng(0)
    builder = WindowsBuilder()
    for length in lengths:
        weights = dice.choice([0.0, 0.1, 1.0], length).tolist()
        builder.add(Encoded(dice.integers(0, 300, length).tolist(), weights))
    return builder.windows()


@given(LENGTHS, st.integers(64, 200), st.randoms())
def test_every_window_stands_whole_in_one_row(
    lengths: list[int], room: int, dice: np.random.Generator
) -> None:
    order = list(range(len(lengths)))
    dice.shuffle(order)
    sizes = np.array(lengths)
    rows = pack(sizes, room, np.array(order))
    assert sorted(number for row in rows for number in row) == sorted(order)
    assert all(sizes[row].sum() <= room for row in rows)
    assert len(rows) == len(pack(sizes, room, np.arange(len(lengths))))
    assert sum(sizes[row].sum() * 2 <= room for row in rows) <= 1


def test_a_window_goes_where_it_leaves_the_least_room() -> None:
    assert pack(np.array([60, 50, 40, 30, 20]), 100, np.arange(5)) == [[0, 2], [1, 3, 4]]


def test_an_epoch_takes_every_window_once_in_an_order_of_its_own() -> None:
    lengths = np.random.default_rng(0).integers(10, 200, 1003)
    for room in (None, 256):
        batches = epoch_batches(lengths, room, 4, seed=1, epoch=0)
        taken = [number for batch in batches for row in batch for number in row]
        assert sorted(taken) == list(range(1003))
        assert batches == epoch_batches(lengths, room, 4, seed=1, epoch=0)
        assert batches != epoch_batches(lengths, room, 4, seed=1, epoch=1)
        assert sum(map(len, batches)) == sum(map(len, sorted_batches(lengths, room, 4)))


def test_rows_without_company_are_batched_by_length() -> None:
    lengths = np.random.default_rng(0).integers(10, 200, 1003)
    batches = epoch_batches(lengths, None, 4, seed=1, epoch=0)
    padded = sum(len(batch) * max(lengths[row[0]] for row in batch) for batch in batches)
    assert lengths.sum() / padded > 0.95


def test_packed_windows_have_the_losses_that_they_have_alone() -> None:
    model, windows = _gpt2(), _windows([30, 7, 19, 33, 20, 5, 1, 40])
    packed = windows.batch([[0, 1, 2], [3, 4, 5, 6], [7]])
    assert packed.packed
    with torch.no_grad():
        together = token_losses(model, packed, CPU)
        alone = torch.cat([token_losses(model, windows.batch([[one]]), CPU) for one in range(8)])
    assert together.numpy() == pytest.approx(alone.numpy(), abs=1e-5)
    assert packed.weight == pytest.approx(sum(windows.batch([[one]]).weight for one in range(8)))
    assert packed.tokens == 155


def test_a_row_of_one_window_keeps_its_losses_beside_packed_rows() -> None:
    model, windows = _gpt2(), _windows([64, 10, 20])
    with torch.no_grad():
        together = token_losses(model, windows.batch([[0], [1, 2]]), CPU)
        alone = [token_losses(model, windows.batch([[one]]), CPU) for one in range(3)]
    assert together.numpy() == pytest.approx(torch.cat(alone).numpy(), abs=1e-5)


@pytest.mark.parametrize(
    ("config", "apart"),
    [
        (GPT2Config(n_embd=32, n_layer=2, n_head=4, vocab_size=300), True),
        (LlamaConfig(**SMALL, intermediate_size=64, vocab_size=300), True),
        (GPTNeoXConfig(**SMALL, intermediate_size=64, vocab_size=300), True),
        (OPTConfig(**SMALL, ffn_dim=64, vocab_size=300, word_embed_proj_dim=32), False),
        (BloomConfig(n_layer=2, hidden_size=32, n_head=4, vocab_size=300), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_who_keeps_windows_apart_is_found_by_trying(config: object, apart: bool) -> None:
    model = _model(config)
    model.train()
    assert sees_apart(model) is apart
    assert model.training


def test_an_evaluation_does_not_depend_on_the_packing() -> None:
    windows, tokenizer, model = _windows([30, 7, 19, 33, 20, 5]), _Tags(), _gpt2()
    packed, padded = (
        Judge(windows, 100, tokenizer, 2, row_tokens).evaluate(scorer_for(model, torch.float32))
        for row_tokens in (64, None)
    )
    assert packed.tokens == padded.tokens > 0
    assert packed.loss == pytest.approx(padded.loss, abs=1e-5)
    assert packed.nats_per_character == pytest.approx(padded.nats_per_character, abs=1e-5)


def test_a_step_on_packed_rows_is_the_step_on_padded_ones() -> None:
    windows = _windows([30, 7, 19, 33, 20, 5])
    config = TrainConfig(batch_rows=6, accumulation=1, dropout=0, warmup_steps=0, precision="fp32")
    losses = []
    for row_tokens in (64, None):
        model = _gpt2(resid_pdrop=0, embd_pdrop=0, attn_pdrop=0)
        trainer = Trainer(model, Plan(windows, config, row_tokens), CPU)
        losses.append([float(trainer.take_step().loss) for _ in range(3)])
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


class _Tags(CharacterTokenizer):
    """The characters' tokenizer with its tags among the ids of a tiny model."""

    def tag(self, tag: str) -> int:
        return super().tag(tag) % self._FIRST_TAG


def _filled(path: Path, room: int) -> float:
    """Return the share of an epoch's rows that is no padding, each row counted with its room."""
    corpus = build_corpus(
        path, survey(path), TrainConfig(held_out_share=0), CharacterTokenizer(), room
    )
    windows = corpus.train
    batches = epoch_batches(windows.lengths, room, 4, seed=0, epoch=0)
    return float(windows.lengths.sum() / (sum(map(len, batches)) * room))


@pytest.mark.slow
def test_rows_of_lively_chats_are_full(
    say: Callable[..., Message], write: Callable[[Iterable[Message]], Path]
) -> None:
    dice = np.random.default_rng(0)
    messages = [
        say(
            str(dice.choice(["me", "ann"])), "x" * int(1 + dice.exponential(30)),
            after=float(dice.choice([5, 200, 10**6], p=[0.7, 0.2, 0.1])),
        )
        for _ in range(6000)
    ]  # fmt: skip
    assert _filled(write(messages), 1024) > 0.98


@pytest.mark.slow
def test_rows_of_talks_about_films_are_full(shared: Path, tmp_path: Path) -> None:
    path, begun = tmp_path / "messages.jsonl", datetime(2020, 1, 1, tzinfo=UTC)
    corpus = shared / "data/corpora/self-dialogue.jsonl.gz"
    with gzip.open(corpus, "rt") as lines, path.open("w", encoding="utf-8") as file:
        for number, line in enumerate(islice(lines, 4000)):
            row = json.loads(line)
            speaker = str(row["speaker"])
            message = Message(
                platform="test", chat_id=str(row["dialogue"]), chat="x", id=str(number),
                speaker_id=speaker, speaker=speaker, outgoing=number % 2 > 0,
                sent_at=begun + timedelta(seconds=number), text=row["text"],
            )  # fmt: skip
            file.write(message.to_json() + "\n")
    # Characters are a quarter of GPT-2's tokens, so four times its room.
    assert _filled(path, 4096) > 0.98
