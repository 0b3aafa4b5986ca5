"""The kernel's model: close to transformers', and the same to the bit however it is asked."""

import resource
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from transformers import AutoModelForCausalLM

from bot.engine.models import Reading
from bot.engine.native import build, open_native
from bot.engine.native.model import NativeModel
from bot.engine.native.packed import Packed

CHANCE = np.random.default_rng(3)
IDS: list[int] = CHANCE.integers(0, 256, 200).tolist()


@pytest.fixture
def model(tiny_model: Path) -> Iterator[NativeModel]:
    model = open_native(tiny_model)
    assert model is not None
    yield model
    model.close()


@pytest.fixture(scope="module")
def expected(tiny_model: Path) -> NDArray[np.float32]:
    reference: Any = AutoModelForCausalLM.from_pretrained(tiny_model)
    with torch.inference_mode():
        logits: NDArray[np.float32] = reference(torch.tensor([IDS])).logits[0].numpy()
    return logits


LEFT_BEHIND = """
import sys, threading, time
from pathlib import Path
from bot.engine.models import Reading
from bot.engine.native import open_native

model = open_native(Path(sys.argv[1]), threads=1)
caches = [model.cache() for _ in range(64)]
begun = threading.Event()

def read():
    while True:
        for cache in caches:
            cache.cut(0)
        begun.set()
        model.read([Reading(cache, [1] * 250) for cache in caches])

threading.Thread(target=read, daemon=True).start()
begun.wait()
time.sleep(0.05)
print("leaving", flush=True)
"""


def distance(found: NDArray[np.float32], expected: NDArray[np.float32]) -> float:
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))


def all_logits(model: NativeModel, ids: list[int] = IDS) -> NDArray[np.float32]:
    return model.read([Reading(model.cache(), ids, len(ids))])[0]


def test_logits_are_those_of_transformers_but_for_rounding(
    model: NativeModel, expected: NDArray[np.float32]
) -> None:
    assert distance(all_logits(model), expected) < 0.05


def test_pieces_give_the_bits_of_the_whole(model: NativeModel) -> None:
    whole = all_logits(model)
    for _ in range(20):
        cache = model.cache()
        inner = sorted(CHANCE.choice(np.arange(1, len(IDS)), 6, replace=False).tolist())
        borders = [0, *inner, len(IDS)]
        for start, end in pairwise(borders):
            found = model.read([Reading(cache, IDS[start:end], end - start)])[0]
            assert (found == whole[start:end]).all()
        assert cache.length == len(IDS)


def test_company_changes_no_bit(model: NativeModel) -> None:
    texts = [CHANCE.integers(0, 256, length).tolist() for length in range(1, 100, 8)]
    alone = [all_logits(model, text) for text in texts]
    together = model.read([Reading(model.cache(), text, len(text)) for text in texts])
    assert all((a == b).all() for a, b in zip(alone, together, strict=True))


def test_threads_change_no_bit(tiny_model: Path) -> None:
    found = []
    for threads in (1, 2, 5):
        model = open_native(tiny_model, threads)
        assert model is not None
        found.append(all_logits(model))
        model.close()
    assert (found[0] == found[1]).all()
    assert (found[0] == found[2]).all()


def test_only_the_wanted_logits_come_back(model: NativeModel) -> None:
    whole = all_logits(model)
    last, three = model.read([Reading(model.cache(), IDS), Reading(model.cache(), IDS, 3)])
    assert (last == whole[-1:]).all()
    assert (three == whole[-3:]).all()


def test_a_cut_text_goes_on_as_if_nothing_had_followed(model: NativeModel) -> None:
    whole = all_logits(model)
    cache = model.cache()
    model.read([Reading(cache, [*IDS[:70], *IDS[:90]])])
    cache.cut(70)
    assert cache.length == 70
    found = model.read([Reading(cache, IDS[70:], 130)])[0]
    assert (found == whole[70:]).all()


def test_forks_go_their_own_ways(model: NativeModel) -> None:
    whole = all_logits(model)
    cache = model.cache()
    model.read([Reading(cache, IDS[:75])])
    twin, third = cache.fork(), cache.fork()
    model.read([Reading(twin, IDS[:100])])
    third.cut(40)
    model.read([Reading(third, IDS[:100])])
    cache.close()
    again = twin.fork()
    again.cut(75)
    found = model.read([Reading(again, IDS[75:], 125)])[0]
    assert (found == whole[75:]).all()
    third.cut(40)
    assert (model.read([Reading(third, IDS[40:], 160)])[0] == whole[40:]).all()


def test_a_cache_tells_its_size(model: NativeModel) -> None:
    cache = model.cache()
    assert cache.size == 0
    model.read([Reading(cache, IDS)])
    full = cache.size
    assert full > 0
    cache.cut(1)
    assert 0 < cache.size < full


@pytest.mark.parametrize(
    ("ids", "wanted", "says"),
    [
        ([], 1, "wants logits"),
        ([1, 2], 0, "wants logits"),
        ([1, 2], 3, "wants logits"),
        ([1] * 257, 1, "positions"),
        ([-1], 1, "none of the model's"),
        ([2**31 - 1], 1, "none of the model's"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_read(
    model: NativeModel, ids: list[int], wanted: int, says: str
) -> None:
    good, bad = model.cache(), model.cache()
    with pytest.raises(ValueError, match=says):
        model.read([Reading(good, [1]), Reading(bad, ids, wanted)])
    assert good.length == bad.length == 0


def test_one_cache_cannot_be_read_twice_in_a_step(model: NativeModel) -> None:
    cache = model.cache()
    with pytest.raises(ValueError, match="same cache"):
        model.read([Reading(cache, [1]), Reading(cache, [2])])


def test_what_is_closed_is_not_read(tiny_model: Path) -> None:
    model = open_native(tiny_model)
    assert model is not None
    gone, left = model.cache(), model.cache()
    gone.close()
    with pytest.raises(ValueError, match="closed"):
        model.read([Reading(gone, [1])])
    model.close()
    with pytest.raises(ValueError, match="closed"):
        model.read([Reading(left, [1])])


@pytest.mark.slow
def test_memory_of_closed_texts_is_used_again(model: NativeModel) -> None:
    def peak() -> int:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    def many() -> None:
        for _ in range(300):
            caches = [model.cache() for _ in range(8)]
            model.read([Reading(cache, IDS[:70]) for cache in caches])
            for cache in caches:
                cache.close()

    many()
    before = peak()
    many()
    assert peak() - before < 4096  # KB; without giving back it would be some 100 MB


def test_a_cache_may_outlive_its_model(tiny_model: Path) -> None:
    model = open_native(tiny_model)
    assert model is not None
    cache = model.cache()
    model.read([Reading(cache, IDS)])
    model.close()
    cache.close()
    cache.close()


@pytest.mark.slow
@pytest.mark.parametrize("level", build.fitting_levels(), ids=lambda level: level.name)
def test_every_kind_of_processor_computes_the_same(
    level: build.Level, tiny_model: Path, model: NativeModel
) -> None:
    packed = Packed.load(tiny_model)
    assert packed is not None
    for planes, most in ((1, 0.03), (2, 0.003)):
        best = NativeModel(build.load(), packed, planes=planes)
        other = NativeModel(build.load(level), packed, planes=planes)
        assert distance(all_logits(other), all_logits(best)) < most
        assert (all_logits(other, IDS[:9]) == all_logits(other)[:9]).all()


@pytest.mark.slow
def test_a_process_ends_in_peace_while_a_thread_that_it_left_reads(tiny_model: Path) -> None:
    command = [sys.executable, "-c", LEFT_BEHIND, str(tiny_model)]
    run = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603
    assert (run.returncode, run.stdout) == (0, "leaving\n")


def test_a_step_without_memory_leaves_nothing_behind(
    model: NativeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = all_logits(model)
    cache = model.cache()
    model.read([Reading(cache, IDS[:70])])

    reads = model._library.likeness_read
    with monkeypatch.context() as patch:
        late = SimpleNamespace(likeness_read=lambda *given: reads(*given) + 1)
        patch.setattr(model, "_library", late)
        with pytest.raises(MemoryError):
            model.read([Reading(cache, IDS[::-1][:90])])
    assert cache.length == 70
    assert (model.read([Reading(cache, IDS[70:], 130)])[0] == whole[70:]).all()
