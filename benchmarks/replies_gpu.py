"""How many chats a GPU answers at once, beside other ways to compute the same model there.

Run `python -m benchmarks.replies_gpu`. GPT-2's smallest shape with random weights in 16 bits; 40
tokens after 200 of history for 1, 8, 64 and 256 chats, by nucleus sampling. Every way has a process
of its own, and they take turns; what is not installed is named and left out. `--device cpu` with a
few `--chats` tries the command out where there is no GPU.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Protocol

import numpy as np
import torch
from transformers import AutoModelForCausalLM, GenerationConfig

from benchmarks.gpt2_shape import write_model
from benchmarks.last_words import last_words
from benchmarks.reply_engines import TOP_P, Clock
from bot.engine import Sampling
from bot.engine.batched import BatchedGpt2
from bot.engine.models import Model, Reading
from bot.engine.sampling import choose
from bot.engine.torch_model import TorchModel

HISTORY = 200
REPLY = 40
CHATS = (1, 8, 64, 256)
_ROOT = Path(__file__).parent.parent

Histories = Sequence[list[int]]


class Way(Protocol):
    """Opened on a folder and a device, it writes replies."""

    def write(self, histories: Histories) -> float | None:
        """Write a reply after each; return when the first tokens were there, None if unknown."""


class Ours:
    """A model of ours, all chats in one step, tokens chosen by `bot.engine.sampling`."""

    def __init__(self, folder: Path, device: torch.device) -> None:
        self._model = self._open(_network(folder, device))
        self._chance = np.random.default_rng(1)

    def _open(self, network: Any) -> Model:
        return BatchedGpt2(network)

    def write(self, histories: Histories) -> float | None:
        sampling, first = Sampling(top_p=TOP_P), 0.0
        caches = [self._model.cache() for _ in histories]
        new = list(histories)
        for _ in range(REPLY):
            found = self._model.read([Reading(c, ids) for c, ids in zip(caches, new, strict=True)])
            new = [[choose(logits[0], sampling, self._chance.random())] for logits in found]
            first = first or time.perf_counter()
        for cache in caches:
            cache.close()
        return first


class OneByOne(Ours):
    """The same through transformers' own forward pass, chat by chat."""

    def _open(self, network: Any) -> Model:
        return TorchModel(network)


class Generate:
    """transformers' `generate` with all chats as one batch."""

    def __init__(self, folder: Path, device: torch.device) -> None:
        self._model = _network(folder, device)
        self._config = GenerationConfig(
            do_sample=True, top_p=TOP_P, top_k=0, max_new_tokens=REPLY, min_new_tokens=REPLY,
            pad_token_id=0, eos_token_id=None,
        )  # fmt: skip

    def write(self, histories: Histories) -> float | None:
        clock = Clock()
        ids = torch.tensor(histories, device=self._model.device)
        with torch.inference_mode():
            self._model.generate(
                ids, attention_mask=torch.ones_like(ids), generation_config=self._config,
                stopping_criteria=[clock],
            )  # fmt: skip
        return clock.first


class Continuous(Generate):
    """transformers' continuous batching."""

    def write(self, histories: Histories) -> float | None:
        with torch.inference_mode():
            self._model.generate_batch(inputs=list(histories), generation_config=self._config)
        return None


class Vllm:
    """vLLM in this process; it has versions of torch of its own, so install it apart."""

    def __init__(self, folder: Path, device: torch.device) -> None:  # noqa: ARG002 (it finds one)
        import vllm

        self._engine: Any = vllm.LLM(str(folder), skip_tokenizer_init=True, dtype="bfloat16")
        self._params = vllm.SamplingParams(
            top_p=TOP_P, max_tokens=REPLY, min_tokens=REPLY, ignore_eos=True, detokenize=False
        )

    def write(self, histories: Histories) -> float | None:
        prompts = [{"prompt_token_ids": history} for history in histories]
        self._engine.generate(prompts, self._params, use_tqdm=False)
        return None


WAYS: dict[str, Callable[[Path, torch.device], Way]] = {
    "ours": Ours,
    "ours, chat by chat": OneByOne,
    "transformers generate": Generate,
    "transformers continuous batching": Continuous,
    "vLLM": Vllm,
}


def _network(folder: Path, device: torch.device) -> Any:
    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    return AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).to(device).eval()


def measure(name: str, folder: Path, device: torch.device, chats: Sequence[int]) -> dict[str, Any]:
    """Measure one way, in this process: seconds to the first tokens and to the last, by chats."""
    way = WAYS[name](folder, device)
    chance = np.random.default_rng(7)
    found: dict[str, Any] = {}
    for count in chats:
        histories = [chance.integers(0, 50_000, HISTORY).tolist() for _ in range(count)]
        way.write(histories)  # what is compiled or captured is so by now
        start = time.perf_counter()
        first = way.write(histories)
        whole = time.perf_counter() - start
        found[str(count)] = {"first": first and first - start, "whole": whole}
    return found


def in_turn(names: Sequence[str], rounds: int, options: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Measure ways in turn, each time in a new process; return medians."""
    found: dict[str, Any] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for _ in range(rounds):
        for name in names:
            command = [sys.executable, "-m", "benchmarks.replies_gpu", "--measure", name, *options]
            ran = subprocess.run(  # noqa: S603 (ourselves)
                command, cwd=_ROOT, capture_output=True, text=True, check=False
            )
            if ran.returncode:
                print(f"{name}: {last_words(ran.stderr, ran.returncode)}", file=sys.stderr)
                continue
            for count, figures in json.loads(ran.stdout.splitlines()[-1]).items():
                for kind, seconds in figures.items():
                    if seconds is not None:
                        found[name][count][kind].append(seconds)
    return {
        name: {
            count: {kind: median(values) for kind, values in kinds.items()}
            for count, kinds in counts.items()
        }
        for name, counts in found.items()
    }


def table(found: dict[str, dict[str, Any]], chats: Sequence[int]) -> str:
    """Return the figures as a table for docs/performance.md."""
    head = [f"{count} chat{'s' * (count > 1)}: first ms | tokens/s" for count in chats]
    lines = [f"| way | {' | '.join(head)} |", "|---" * (1 + 2 * len(chats)) + "|"]
    for name, counts in found.items():
        cells = []
        for count in chats:
            figures = counts.get(str(count), {})
            first, whole = figures.get("first"), figures.get("whole")
            cells.append("–" if first is None else f"{1000 * first:,.1f}")
            cells.append("–" if whole is None else f"{count * REPLY / whole:,.0f}")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Measure all ways, or one of them in this process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--chats", type=int, nargs="+", default=CHATS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--folder", type=Path, help="of the model, to keep")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        device = torch.device(given.device)
        print(json.dumps(measure(given.measure, given.folder, device, given.chats)))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        if not (folder / "config.json").exists():
            write_model(folder)
        options = ["--folder", str(folder), "--device", given.device, "--chats"]
        options += map(str, given.chats)
        print(table(in_turn(given.ways, given.rounds, options), given.chats))


if __name__ == "__main__":
    main()
