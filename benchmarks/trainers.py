"""The ways to train that `benchmarks.training` compares."""

import dataclasses
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import GPT2Config, GPT2LMHeadModel

from training.config import TrainConfig
from training.device import pick_device
from training.loop import Taken, Trainer
from training.peak import step_flops
from training.plan import Plan
from training.precision import pick_width
from training.rows import Windows

_WORKSHOP_ROWS, _WORKSHOP_TOKENS, _WORKSHOP_ACCUMULATION = 4, 400, 8
_ROW_TOKENS = 1024
_GPU_ROWS = 32


@dataclass(frozen=True, slots=True)
class Shape:
    """Of a GPT-2."""

    width: int
    layers: int
    heads: int
    vocabulary: int

    def model(self, dropout: float, in_attention: float) -> GPT2LMHeadModel:
        """Make one with fresh weights."""
        torch.manual_seed(0)
        config = GPT2Config(
            vocab_size=self.vocabulary, n_positions=_ROW_TOKENS, n_embd=self.width,
            n_layer=self.layers, n_head=self.heads, resid_pdrop=dropout, embd_pdrop=dropout,
            attn_pdrop=in_attention, bos_token_id=0, eos_token_id=0,
        )  # fmt: skip
        return GPT2LMHeadModel(config).train()


@dataclass(frozen=True, slots=True)
class Data:
    """Conversations end to end: token ids, which are mine, and where each begins."""

    ids: NDArray[np.uint32]
    mine: NDArray[np.bool_]
    starts: NDArray[np.int64]

    def save(self, path: Path) -> None:
        """Write a file."""
        np.savez(path, ids=self.ids, mine=self.mine, starts=self.starts)

    @classmethod
    def load(cls, path: Path) -> "Data":
        """Read it."""
        with np.load(path) as found:
            return cls(found["ids"], found["mine"], found["starts"])

    def rows(self, tokens: int) -> torch.Tensor:
        """Return the whole text cut into rows of one length."""
        count = len(self.ids) // tokens
        rows = self.ids[: count * tokens].reshape(count, tokens).astype(np.int64)
        return torch.from_numpy(rows)

    def windows(self) -> Windows:
        """Return each conversation as a window, others' words weighing as by default."""
        weights = np.where(self.mine, 1.0, TrainConfig().context_weight).astype(np.float32)
        weights[self.starts[:-1]] = 0
        return Windows(self.ids, weights, self.starts)


@dataclass(slots=True)
class Round:
    """What an engine did in one turn.

    Attributes:
        tokens: How many it read.
        taught: How many of them it learnt to predict.
        seconds: How long that took, what happens once in several steps counted by its share; on
            one core, that core's own time.
        flops: How many operations that needed.
        peak_bytes: The most memory of its process, or of the GPU.
        waited: How long threads waited for a core, of the wall time.
    """

    tokens: int
    taught: int
    seconds: float
    flops: float
    peak_bytes: int = 0
    waited: float = 0.0

    @property
    def speed(self) -> float:
        """Tokens a second."""
        return self.tokens / self.seconds

    @property
    def taught_speed(self) -> float:
        """Tokens a second that were learnt to predict."""
        return self.taught / self.seconds

    @property
    def computed(self) -> float:
        """Operations a second."""
        return self.flops / self.seconds

    def as_values(self) -> dict[str, float]:
        """Return plain values."""
        return dataclasses.asdict(self)


Train = Callable[[float], Round]
Opened = tuple[str, Train]


def workshop(data: Data, shape: Shape, device_name: str) -> Opened:
    """Be the workshop's loop: 32 bits, 4 rows of 400, one tensor after the other in AdamW."""
    device = pick_device(device_name)
    model = shape.model(0.1, 0.1).to(device)  # type: ignore[arg-type]
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-5, foreach=False, fused=False)
    batches = _forever(data.rows(_WORKSHOP_TOKENS), _WORKSHOP_ROWS)

    def step() -> float:
        ids = next(batches).to(device)
        loss = model(input_ids=ids, labels=ids).loss / _WORKSHOP_ACCUMULATION
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        return loss.item()

    def train(seconds: float) -> Round:
        begun, count = _now(device), 0
        while not count or _now(device) - begun < seconds:
            step()
            count += 1
        between = _now(device)
        optimizer.step()
        optimizer.zero_grad()
        ended = _now(device)
        used = between - begun + (ended - between) * count / _WORKSHOP_ACCUMULATION
        tokens = count * _WORKSHOP_ROWS * _WORKSHOP_TOKENS
        return _round(device, model, tokens, _WORKSHOP_TOKENS, used)

    train(0)
    return "", train


def transformers_trainer(data: Data, shape: Shape, device_name: str) -> Opened:
    """Be transformers' own `Trainer`, on the text end to end in rows without padding.

    It has 16 bits where ours has, and everything else at its defaults.
    """
    try:
        import accelerate  # noqa: F401, PLC0415
    except ImportError:
        return "needs `pip install accelerate`", lambda _: NotImplemented
    from transformers import Trainer as TheirTrainer  # noqa: PLC0415
    from transformers import TrainingArguments  # noqa: PLC0415

    device = pick_device(device_name)
    model = shape.model(0.1, 0.1)
    at_once = _rows_a_step(device)
    length = _ROW_TOKENS if device.type == "cuda" else _WORKSHOP_TOKENS
    narrow = pick_width("auto", device) == torch.bfloat16
    rows = data.rows(length)
    examples = [{"input_ids": row, "labels": row} for row in rows]

    def run(steps: int) -> None:
        with tempfile.TemporaryDirectory() as folder:
            told = TrainingArguments(
                folder, bf16=narrow, use_cpu=device.type == "cpu", max_steps=steps,
                per_device_train_batch_size=at_once,
                save_strategy="no", report_to=[], disable_tqdm=True, logging_strategy="no",
            )  # fmt: skip
            TheirTrainer(model=model, args=told, train_dataset=examples).train()

    def train(seconds: float) -> Round:
        steps, used = 1, 0.0
        while not used or (used < seconds and steps < 2**16):
            steps = max(1, round(steps * seconds / used)) if used else 1
            begun = _now(device)
            run(steps)
            used = _now(device) - begun
        return _round(device, model, steps * at_once * length, length, used)

    run(1)
    return "", train


def ours(data: Data, shape: Shape, device_name: str, precision: str = "auto") -> Opened:
    """Be ours: packed rows, settings at their defaults; a step has as many rows as a Trainer's."""
    device = pick_device(device_name)
    config = TrainConfig(
        precision=precision, epochs=10**6, batch_rows=_rows_a_step(device), accumulation=1
    )
    plan = Plan(data.windows(), config, _ROW_TOKENS)
    trainer = Trainer(shape.model(config.dropout, 0.0), plan, device)

    def train(seconds: float) -> Round:
        begun, steps = _now(device), list[Taken]()
        while not steps or _now(device) - begun < seconds:
            steps.append(trainer.take_step())
        return Round(
            tokens=sum(one.tokens for one in steps),
            taught=sum(one.targets for one in steps),
            seconds=_now(device) - begun,
            flops=sum(one.flops for one in steps),
            peak_bytes=_on_gpu(device),
        )

    train(0)
    # A run finds once how many rows at once are fastest: no round is to pay for that.
    while trainer._tries:  # noqa: SLF001
        trainer.take_step()
    return "", train


def ours_in_32_bits(data: Data, shape: Shape, device_name: str) -> Opened:
    """Be ours, with products of 32 bits."""
    return ours(data, shape, device_name, "fp32")


def _rows_a_step(device: torch.device) -> int:
    return _GPU_ROWS if device.type == "cuda" else _WORKSHOP_ROWS


def _forever(rows: torch.Tensor, at_once: int) -> Iterator[torch.Tensor]:
    batches = rows.split(at_once)[: len(rows) // at_once]
    if not batches:
        raise SystemExit("so few conversations fill no batch: more of them (--conversations)")
    while True:
        yield from batches


def _round(
    device: torch.device, model: GPT2LMHeadModel, tokens: int, length: int, seconds: float
) -> Round:
    """Return a round of rows of one length, of which every token but the first is predicted."""
    row = Windows(
        np.zeros(length, np.uint32), np.ones(length, np.float32), np.array([0, length])
    ).batch([[0]])
    rows = tokens // length
    flops = rows * step_flops(model, row)
    return Round(tokens, rows * (length - 1), seconds, flops, _on_gpu(device))


def _on_gpu(device: torch.device) -> int:
    return torch.cuda.max_memory_allocated(device) if device.type == "cuda" else 0


def _now(device: torch.device) -> float:
    """Return seconds; on one core its own, so that waiting for it does not count."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    alone = device.type == "cpu" and torch.get_num_threads() == 1
    return time.process_time() if alone else time.perf_counter()


ENGINES: dict[str, Callable[[Data, Shape, str], Opened]] = {
    "workshop": workshop,
    "transformers Trainer": transformers_trainer,
    "ours, fp32": ours_in_32_bits,
    "ours": ours,
}
