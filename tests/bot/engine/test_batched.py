"""GPT-2 for many chats a pass computes what it would alone; on the processor, without graphs."""

import asyncio
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional
from transformers import GPT2Config, GPT2LMHeadModel

from bot.engine import Sampling, batched
from bot.engine.batched import BatchedGpt2, suits
from bot.engine.local import LocalEngine
from bot.engine.models import Model, Reading
from bot.engine.pages import BLOCK
from bot.engine.torch_model import TorchModel, open_torch
from likeness.card import RunCard
from likeness.tokenizer import FolderTokenizer

CHANCE = np.random.default_rng(3)
TEXT: list[int] = CHANCE.integers(0, 50, 200).tolist()


@pytest.fixture(scope="module")
def network() -> GPT2LMHeadModel:
    torch.manual_seed(0)
    shape = GPT2Config(vocab_size=50, n_positions=300, n_embd=16, n_layer=2, n_head=2)
    network = GPT2LMHeadModel(shape).eval()
    for weights in network.parameters():
        weights.data *= 8  # so that tokens are told apart
    return network


@pytest.fixture
def model(network: GPT2LMHeadModel) -> BatchedGpt2:
    return BatchedGpt2(network)


def whole(network: GPT2LMHeadModel, ids: list[int]) -> Any:
    with torch.inference_mode():
        return network(torch.tensor([ids])).logits[0].numpy()


def close(found: Any, expected: Any) -> bool:
    return bool(np.allclose(found, expected, rtol=1e-4, atol=1e-4))


def test_pieces_of_a_text_give_what_the_whole_gives(
    model: BatchedGpt2, network: GPT2LMHeadModel
) -> None:
    cache, expected, at = model.cache(), whole(network, TEXT), 0
    for size in (70, 1, 1, 57, 1, 3, 67):
        (found,) = model.read([Reading(cache, TEXT[at : at + size], size)])
        assert close(found, expected[at : at + size])
        at += size
        assert cache.length == at


def test_many_texts_of_all_lengths_give_what_each_gives_alone(
    model: BatchedGpt2, network: GPT2LMHeadModel
) -> None:
    texts = [TEXT[: 3 + 7 * number] for number in range(28)]
    caches = [model.cache() for _ in texts]
    model.read([Reading(cache, text[:-2]) for cache, text in zip(caches, texts, strict=True)])
    for end in (-1, None):  # single tokens, of more texts than go into a pass, some behind block 4
        readings = [
            Reading(cache, text[:end][-1:]) for cache, text in zip(caches, texts, strict=True)
        ]
        readings[5:5] = [Reading(model.cache(), TEXT[:40], 2)]
        found = model.read(readings)
        assert close(found.pop(5), whole(network, TEXT[:40])[-2:])
        for logits, text in zip(found, texts, strict=True):
            assert close(logits, whole(network, text[:end])[-1:])


def test_company_changes_no_bit_of_a_next_token(model: BatchedGpt2) -> None:
    caches = [model.cache() for _ in range(20)]
    model.read([Reading(cache, TEXT[n : 50 + 6 * n]) for n, cache in enumerate(caches)])
    twins = [cache.fork() for cache in caches]
    together = model.read([Reading(cache, [7]) for cache in caches])
    for twin, found in zip(twins, together, strict=True):
        assert (model.read([Reading(twin, [7])])[0] == found).all()


def test_forks_and_cuts_go_their_own_ways(model: BatchedGpt2, network: GPT2LMHeadModel) -> None:
    cache = model.cache()
    model.read([Reading(cache, TEXT[:75])])
    twin, third = cache.fork(), cache.fork()
    third.cut(40)
    found = model.read([Reading(twin, [7]), Reading(third, [8]), Reading(cache, TEXT[75:90])])
    for logits, text in zip(found, ([*TEXT[:75], 7], [*TEXT[:40], 8], TEXT[:90]), strict=True):
        assert close(logits[-1], whole(network, text)[-1])
    cache.close()
    (after,) = model.read([Reading(twin, [9])])
    assert close(after[-1], whole(network, [*TEXT[:75], 7, 9])[-1])


def test_blocks_of_closed_texts_are_used_again_and_there_are_more_when_needed(
    model: BatchedGpt2, network: GPT2LMHeadModel
) -> None:
    for _ in range(30):
        cache = model.cache()
        model.read([Reading(cache, TEXT)])
        assert cache.size == -(-len(TEXT) // BLOCK) * model._pages.block_bytes
        cache.close()
        assert cache.size == 0
    assert model._pages.moved == 0
    first = model.cache()
    model.read([Reading(first, TEXT)])
    caches = [model.cache() for _ in range(30)]
    model.read([Reading(cache, TEXT) for cache in caches])
    assert model._pages.moved > 0
    (found,) = model.read([Reading(first, [7])])
    assert close(found[-1], whole(network, [*TEXT, 7])[-1])


def test_a_step_without_memory_leaves_nothing_behind(
    model: BatchedGpt2, network: GPT2LMHeadModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache, other = model.cache(), model.cache()
    model.read([Reading(cache, TEXT[:40])])
    with monkeypatch.context() as patch:
        patch.setattr(model._pages, "_free", [])
        patch.setattr(torch, "cat", _no_memory)
        with pytest.raises(MemoryError):
            model.read([Reading(cache, [7]), Reading(other, TEXT)])
    for one, length in ((cache, 40), (other, 0)):
        one.cut(length)
        assert one.length == length
    (found,) = model.read([Reading(cache, TEXT[40:50])])
    assert close(found[-1], whole(network, TEXT[:50])[-1])


def _no_memory(*_: object, **__: object) -> None:
    raise torch.OutOfMemoryError("CUDA out of memory")


@pytest.mark.parametrize(
    ("ids", "wanted", "says"),
    [([], 1, "wants logits"), ([1], 2, "wants logits"), ([1] * 301, 1, "positions")]
    + [([id_], 1, "none of the model's") for id_ in (-1, 50)],
)
def test_what_makes_no_sense_is_refused(
    model: BatchedGpt2, ids: list[int], wanted: int, says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        model.read([Reading(model.cache(), ids, wanted)])


class Recorded:
    """Stands in for a captured graph: computes again, and hands out the same memory each time."""

    made = 0

    def __init__(self, compute: Callable[[Any], torch.Tensor], rows: Any) -> None:
        type(self).made += 1
        self._compute = compute
        self._logits = compute(rows).clone()

    def run(self, rows: Any) -> torch.Tensor:
        self._logits.copy_(self._compute(rows))
        return self._logits


def test_a_pass_is_captured_once_a_length_and_anew_when_the_pages_moved(
    model: BatchedGpt2, network: GPT2LMHeadModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batched, "_Graph", Recorded)
    monkeypatch.setattr(Recorded, "made", 0)
    model._graphs = {}
    short, long = model.cache(), model.cache()
    model.read([Reading(short, TEXT[:20]), Reading(long, TEXT[:150])])
    for number in range(5):
        one, other = model.read([Reading(short, [number]), Reading(long, [number])])
    assert Recorded.made == 2
    assert close(one[-1], whole(network, [*TEXT[:20], *range(5)])[-1])
    assert close(other[-1], whole(network, [*TEXT[:150], *range(5)])[-1])
    more = [model.cache() for _ in range(20)]
    model.read([Reading(cache, TEXT) for cache in more])
    model.read([Reading(short, [5])])
    assert Recorded.made == 3


def test_where_nothing_can_be_captured_it_is_said_once_and_computed(
    model: BatchedGpt2,
    network: GPT2LMHeadModel,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("operation not permitted when stream is capturing")

    monkeypatch.setattr(batched, "_Graph", refuse)
    model._graphs = {}
    cache = model.cache()
    model.read([Reading(cache, TEXT[:20])])
    for number in range(3):
        (found,) = model.read([Reading(cache, [number])])
    assert close(found[-1], whole(network, [*TEXT[:20], 0, 1, 2])[-1])
    assert caplog.text.count("without captured graphs") == 1


class Nothing:
    """What torch's streams and graphs do where they are another card's: nothing."""

    def __init__(self, *_: object) -> None: ...

    def __getattr__(self, _: str) -> Callable[..., None]:
        return lambda *_: None


def test_a_graph_that_captured_nothing_is_found_out(
    model: BatchedGpt2, network: GPT2LMHeadModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("Stream", "current_stream", "CUDAGraph"):
        monkeypatch.setattr(torch.cuda, name, Nothing)
    for name in ("stream", "graph"):
        monkeypatch.setattr(torch.cuda, name, lambda _: nullcontext())
    model._graphs = {}
    cache = model.cache()
    model.read([Reading(cache, TEXT[:20])])
    for number in range(3):
        (found,) = model.read([Reading(cache, [number])])
    assert model._graphs is None
    assert close(found[-1], whole(network, [*TEXT[:20], 0, 1, 2])[-1])


def test_a_full_card_is_a_want_of_memory_and_can_be_tried_again(
    model: BatchedGpt2, network: GPT2LMHeadModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = model.cache()
    model.read([Reading(cache, TEXT[:20])])
    with monkeypatch.context() as patch:
        patch.setattr(functional, "scaled_dot_product_attention", _no_memory)
        with pytest.raises(MemoryError):
            model.read([Reading(cache, [7])])
    cache.cut(20)
    (found,) = model.read([Reading(cache, [8])])
    assert close(found[-1], whole(network, [*TEXT[:20], 8])[-1])


def test_logits_of_16_bits_models_have_32() -> None:
    torch.manual_seed(0)
    shape = GPT2Config(vocab_size=50, n_positions=64, n_embd=16, n_layer=1, n_head=2)
    network = GPT2LMHeadModel(shape).eval().to(torch.bfloat16)
    model = BatchedGpt2(network)
    (found,) = model.read([Reading(model.cache(), TEXT[:9])])
    assert (torch.from_numpy(found).bfloat16().float().numpy() != found).any()


def test_only_the_gpt2_that_it_computes_suits(network: GPT2LMHeadModel) -> None:
    assert suits(network)
    other = GPT2Config(n_embd=8, n_layer=1, n_head=1, activation_function="relu", vocab_size=9)
    assert not suits(GPT2LMHeadModel(other))


@pytest.mark.slow
def test_an_engine_writes_with_it_what_it_writes_one_by_one(
    tiny_model: Path, tokenizer: FolderTokenizer, toy_card: RunCard, message: Any
) -> None:
    one_by_one = open_torch(tiny_model, "cpu")
    assert isinstance(one_by_one, TorchModel)
    together = BatchedGpt2(one_by_one._model)
    chats = [[message(f"{'hello ' * n}there", id=str(n))] for n in range(12)]

    async def write(model: Model) -> list[list[str]]:
        engine = LocalEngine.of(tiny_model, toy_card, tokenizer, model)

        async def reply(place: int, chat: list[Any]) -> list[str]:
            sampling = Sampling(seed=place, max_new_tokens=30)
            return [part.text async for part in engine.reply(chat, sampling)]

        written = await asyncio.gather(*(reply(n, chat) for n, chat in enumerate(chats)))
        await engine.close()
        return list(written)

    assert asyncio.run(write(together)) == asyncio.run(write(one_by_one))
