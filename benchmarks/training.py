"""Training speed beside the plain ways: the workshop's loop, and transformers' own `Trainer`.

Run `python -m benchmarks.training`. All engines take part in the same rounds, one after the other,
each in a process of its own that sleeps while it is not its turn. On a processor each has one core,
and the time is that core's own, so that what else runs on the machine counts little. The model has
GPT-2's shape and fresh weights: what they say makes no difference to speed, nor do the words, which
are drawn by Zipf's law. Conversations are as long as those of chats; every second turn is mine.
"""

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.last_words import last_words
from benchmarks.peak_memory import peak_bytes
from benchmarks.trainers import ENGINES, Data, Round, Shape
from training.device import pick_device
from training.peak import peak_flops
from training.precision import pick_width

SHAPES = {
    "small": Shape(256, 4, 4, 8192),
    "gpt2": Shape(768, 12, 12, 50_257),
    "gpt2-medium": Shape(1024, 24, 16, 50_257),
    "gpt2-large": Shape(1280, 36, 20, 50_257),
}
_ROW_TOKENS = 1024
_TURN_TOKENS = 14
_FIRST = "workshop"
_PEAK_SECONDS = 5.0


@dataclass(slots=True)
class Engine:
    """One way to train, alive in its own process; `unable` says why it takes no part any more."""

    name: str
    process: subprocess.Popen[str]
    requests: IO[str]
    answers: IO[str]
    errors: IO[str]
    rounds: list[Round]
    unable: str = ""

    @classmethod
    def start(cls, name: str, data: Path, options: argparse.Namespace) -> "Engine":
        """Begin a process, and wait until it has warmed up."""
        command = [sys.executable, "-m", "benchmarks.training", "--engine", name]
        command += ["--data", str(data), "--shape", options.shape, "--device", options.device]
        command += ["--seconds", str(options.seconds), "--threads", str(options.threads)]
        errors = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115 - `stop` closes it
        process = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
        )
        assert process.stdin
        assert process.stdout
        engine = cls(name, process, process.stdin, process.stdout, errors, [])
        answer = engine.answers.readline().strip()
        engine.unable = "" if answer == "ready" else answer or engine.last_words()
        return engine

    def run(self) -> None:
        """Let it train for a while, unless it cannot; say so where it dies of that."""
        if self.unable:
            return
        answer = ""
        with suppress(BrokenPipeError):
            self.requests.write("go\n")
            self.requests.flush()
            answer = self.answers.readline()
        if answer:
            self.rounds.append(Round(**json.loads(answer)))
            return
        self.unable = self.last_words()
        print(f"{self.name} in round {len(self.rounds) + 1}: {self.unable}", file=sys.stderr)

    def last_words(self) -> str:
        """Wait for the end of a process that answers no more, and return why it ended."""
        code = self.process.wait()
        if code < 0:
            return f"killed by {signal.Signals(-code).name}"
        self.errors.seek(0)
        return last_words(self.errors.read(), code)

    def stop(self) -> None:
        """End the process."""
        with suppress(BrokenPipeError):
            self.requests.close()
        self.process.wait()
        self.answers.close()
        self.errors.close()


def conversations(count: int, vocabulary: int) -> Data:
    """Invent conversations whose lengths are those of chats: many short, some longer than a row."""
    dice = np.random.default_rng(1)
    lengths = np.clip(dice.lognormal(4.6, 1.1, count), 8, _ROW_TOKENS).astype(np.int64)
    ids = np.minimum(dice.zipf(1.2, lengths.sum()), vocabulary) - 1
    mine = np.concatenate([_mine(length, dice) for length in lengths])
    return Data(ids.astype(np.uint32), mine, np.concatenate([[0], lengths.cumsum()]))


def _mine(length: int, dice: np.random.Generator) -> NDArray[np.bool_]:
    turns = dice.geometric(1 / _TURN_TOKENS, length)
    return np.repeat(np.arange(length) % 2 > 0, turns)[:length]


def serve(options: argparse.Namespace) -> None:
    """Be an engine: train for a while at each line that comes in."""
    torch.set_num_threads(options.threads)
    # What a library prints must not stand among the answers.
    answers, sys.stdout = sys.stdout, sys.stderr
    problem, train = ENGINES[options.engine](
        Data.load(options.data), SHAPES[options.shape], options.device
    )
    print(problem or "ready", file=answers, flush=True)
    for _ in sys.stdin:
        waited, begun = _waited_seconds(), time.perf_counter()
        done = train(options.seconds)
        done.waited = (_waited_seconds() - waited) / (time.perf_counter() - begun)
        done.peak_bytes = done.peak_bytes or peak_bytes()
        print(json.dumps(done.as_values()), file=answers, flush=True)


def compare(options: argparse.Namespace) -> None:
    """Let the engines train in turns, and print the table."""
    # Once for all engines, before they take the machine's memory and time.
    torch.set_num_threads(options.threads)
    device = pick_device(options.device)
    peak = peak_flops(device, pick_width("auto", device), _PEAK_SECONDS)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "data.npz")
        conversations(options.conversations, SHAPES[options.shape].vocabulary).save(path)
        engines = [Engine.start(name, path, options) for name in options.engines]
        for number in range(options.rounds):
            for engine in engines[:: 1 if number % 2 else -1]:
                engine.run()
        for engine in engines:
            engine.stop()
    print(f"The peak: {peak / 1e12:.3f} TFLOP/s.")
    print("| way | tokens/s | × workshop | taught/s | × workshop | of peak | peak GB | waited |")
    print("|---|---|---|---|---|---|---|---|")
    base = next((engine for engine in engines if engine.name == _FIRST), None)
    for engine in engines:
        print(_row(engine, base, peak))


def _row(engine: Engine, base: Engine | None, peak: float) -> str:
    if not engine.rounds:
        return f"| {engine.name} | {engine.unable} | | | | | | |"

    def middle(name: str) -> float:
        return statistics.median(getattr(one, name) for one in engine.rounds)

    def times(name: str) -> str:
        # One that died has taken part in the first rounds alone.
        pairs = zip(engine.rounds, base.rounds if base else (), strict=False)
        ratios = [getattr(one, name) / getattr(other, name) for one, other in pairs]
        return f"{statistics.median(ratios):.2f}" if ratios else ""

    return (
        f"| {engine.name} | {middle('speed'):,.0f} | {times('speed')} "
        f"| {middle('taught_speed'):,.0f} | {times('taught_speed')} "
        f"| {middle('computed') / peak:.0%} | {middle('peak_bytes') / 1e9:.1f} "
        f"| {middle('waited'):.0%} |"
    )


def _waited_seconds() -> float:
    """How long this process's threads have been ready to run without a core to run on."""
    if not Path("/proc/self/task").exists():
        return 0.0
    waited = 0
    for task in os.scandir("/proc/self/task"):
        waited += int(Path(task.path, "schedstat").read_text().split()[1])
    return waited / 1e9


def main() -> None:
    """Read the options; compare, or be one engine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shape", choices=SHAPES, default="gpt2")
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10, help="of each turn, at least")
    parser.add_argument("--conversations", type=int, default=2000)
    parser.add_argument("--device", default="auto")
    parser.add_argument(
        "--threads", type=int, default=1, help="one is measured by its core's own time"
    )
    parser.add_argument("--engine", choices=ENGINES, help=argparse.SUPPRESS)
    parser.add_argument("--data", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    serve(options) if options.engine else compare(options)


if __name__ == "__main__":
    main()
