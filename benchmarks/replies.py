"""How fast replies are written, beside other engines: the same model, work and processors.

Run `python -m benchmarks.replies`. GPT-2's smallest shape with random weights; 40 tokens after 200
of history, for one chat and for eight at once, and after 15 new tokens of a chat whose other 185
were read before. Every engine has a process of its own, and they take turns, so that a slow hour
is one for all of them.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.gpt2_shape import write_model
from benchmarks.last_words import last_words
from benchmarks.peak_memory import peak_bytes
from benchmarks.reply_engines import ENGINES, REMEMBER
from bot.engine.models import Reading
from bot.engine.native import open_native

HISTORY = 200
NEW = 15
REPLY = 40
CHATS = 8
_ROOT = Path(__file__).parent.parent
_SLOW = "the workshop's loop"
_YARDSTICK = "llama.cpp Q8_0"

Figures = dict[str, float]


def measure(name: str, folder: Path, threads: int, repeats: int, started: float) -> Figures:
    """Measure one engine, in this process."""
    engine = ENGINES[name](folder, threads)
    chance = np.random.default_rng(7)

    def histories(chats: int) -> list[list[int]]:
        return [chance.integers(0, 50_000, HISTORY).tolist() for _ in range(chats)]

    def one(chats: int, known: int) -> tuple[float, float]:
        begun = histories(chats)
        if known:
            engine.write([history[:known] for history in begun], 0, 1)
        start = time.perf_counter()
        first = engine.write(begun, known, REPLY)
        return first - start, time.perf_counter() - start

    engine.write(histories(1), 0, REPLY)
    figures = {"start": time.time() - started}
    kinds = {"cold": (1, 0), "eight": (CHATS, 0)}
    if name in REMEMBER:
        kinds |= {"warm": (1, HISTORY - NEW), "eight_warm": (CHATS, HISTORY - NEW)}
    if name == _SLOW:
        kinds = {"cold": (1, 0)}
    for kind, (chats, known) in kinds.items():
        took = [one(chats, known) for _ in range(1 if name == _SLOW else repeats)]
        figures[f"{kind}_first"] = median(first for first, _ in took)
        figures[f"{kind}_whole"] = median(whole for _, whole in took)
    figures["peak"] = peak_bytes() / 1e6
    return figures


def steps(folder: Path, threads: int, repeats: int = 41) -> str:
    """Measure single steps of the native model after 200 tokens; return them as a table."""
    model = open_native(folder, threads)
    if model is None:
        raise SystemExit("the kernel cannot be built here")
    ids = np.random.default_rng(7).integers(0, 50_000, HISTORY).tolist()
    caches = [model.cache() for _ in range(CHATS)]
    for cache in caches:
        model.read([Reading(cache, ids)])

    def milliseconds(chats: int, known: int, tokens: int) -> float:
        took = []
        for _ in range(repeats):
            for cache in caches:
                cache.cut(known)
            start = time.perf_counter()
            model.read([Reading(cache, ids[:tokens], 1) for cache in caches[:chats]])
            took.append(time.perf_counter() - start)
        return 1000 * median(took)

    kinds = {f"{tokens} tokens of a chat": (1, HISTORY, tokens) for tokens in (1, 2, 3, 4, 5, 8)}
    kinds |= {f"a token each of {chats} chats": (chats, HISTORY, 1) for chats in (2, 4, 8)}
    kinds |= {"15 tokens of a chat": (1, HISTORY - NEW, NEW), "200 tokens": (1, 0, HISTORY)}
    rows = [f"| {name} | {milliseconds(*kind):.1f} |" for name, kind in kinds.items()]
    return "\n".join(["| a step that reads | ms |", "|---|---|", *rows])


def in_turn(folder: Path, names: list[str], rounds: int, options: list[str]) -> dict[str, Figures]:
    """Measure engines in turn, each time in a new process; return medians."""
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for round_ in range(rounds):
        for name in names:
            if name == _SLOW and round_:
                continue
            command = [sys.executable, "-m", "benchmarks.replies", "--measure", name]
            started = ["--folder", str(folder), "--started", str(time.time()), *options]
            ran = subprocess.run(  # noqa: S603 (ourselves)
                [*command, *started], cwd=_ROOT, capture_output=True, text=True, check=False
            )
            if ran.returncode:
                print(f"{name}: {last_words(ran.stderr, ran.returncode)}", file=sys.stderr)
                continue
            for key, value in json.loads(ran.stdout).items():
                found[name][key].append(value)
    return {
        name: {key: median(values) for key, values in figures.items()}
        for name, figures in found.items()
    }


def table(found: dict[str, Figures]) -> str:
    """Return the figures as a table for docs/performance.md."""
    head = (
        "| engine | first token ms | reply ms | × llama.cpp | 8 chats tok/s | next turn: first ms "
        "| reply ms | 8 chats tok/s | start to first reply s | peak MB |"
    )
    lines = [head, "|" + "---|" * head.count(" | ") + "---|"]
    yardstick = found.get(_YARDSTICK, {}).get("cold_whole")
    for name, figures in found.items():
        share = figures["cold_whole"] / yardstick if yardstick else None
        cells = [
            _cell(figures.get("cold_first"), 1000, 0),
            _cell(figures.get("cold_whole"), 1000, 0),
            _cell(share, 1, 2),
            _speed(figures.get("eight_whole")),
            _cell(figures.get("warm_first"), 1000, 1),
            _cell(figures.get("warm_whole"), 1000, 0),
            _speed(figures.get("eight_warm_whole")),
            _cell(figures.get("start"), 1, 2),
            _cell(figures.get("peak"), 1, 0),
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(value: float | None, factor: float, digits: int) -> str:
    return "–" if value is None else f"{value * factor:,.{digits}f}"


def _speed(seconds: float | None) -> str:
    return "–" if seconds is None else f"{CHATS * REPLY / seconds:,.0f}"


def main() -> None:
    """Measure all engines, or one of them in this process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=3, help="in each process")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--folder", type=Path, help="of the model and its other files, to keep")
    parser.add_argument("--steps", action="store_true", help="measure steps of ours alone")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    parser.add_argument("--started", type=float, help=argparse.SUPPRESS)
    given = parser.parse_args()
    options = ["--threads", str(given.threads), "--repeats", str(given.repeats)]
    if given.measure:
        model = given.folder / "model"
        figures = measure(given.measure, model, given.threads, given.repeats, given.started)
        print(json.dumps(figures))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        if not (folder / "model").exists():
            write_model(folder / "model")
        if given.steps:
            print(steps(folder / "model", given.threads))
            return
        print(table(in_turn(folder, given.engines, given.rounds, options)))


if __name__ == "__main__":
    main()
