"""Processes that train one model together, on one machine or several, as torchrun starts them.

Each learns from its share of every step's rows. Gradients are summed when a step's are whole, and
not while they are made, as `DistributedDataParallel` does: so a process whose memory gives out can
do its share again in halves, while the others wait.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
import torch.distributed as dist

from likeness.errors import TrainingError

Item = TypeVar("Item")

# As gloo says it; torch has no class of its own for it.
_GONE = ("closed by peer", "reset by peer", "broken pipe", "socket closed")


@contextmanager
def _all_there() -> Iterator[None]:
    """Work with the others.

    Raises:
        TrainingError: One of them has ended.
    """
    try:
        yield
    except RuntimeError as error:
        if not any(said in str(error).lower() for said in _GONE):
            raise
        raise TrainingError(
            "Another of the processes that train together has ended: go on with --resume."
        ) from error


@dataclass(frozen=True, slots=True)
class Team:
    """The processes of a run, seen from one of them.

    Where one of them has ended, whatever the others do together raises a TrainingError.

    Attributes:
        rank: Which of them this is; the first writes and speaks for all.
        size: How many there are.
    """

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this is the process that writes."""
        return self.rank == 0

    @property
    def launcher(self) -> str:
        """What stands before a command so that as many processes run it on one machine."""
        # Without the two dashes torchrun takes `--run` for an option of its own.
        return f"torchrun --nproc-per-node {self.size} -m -- " if self.size > 1 else ""

    def share(self, items: Sequence[Item]) -> list[Item]:
        """Return this process's part of what all have to do."""
        return list(items[self.rank :: self.size])

    @_all_there()
    def total(self, numbers: torch.Tensor) -> torch.Tensor:
        """Return the sum of all processes' numbers, which change in place."""
        if self.size > 1:
            dist.all_reduce(numbers)
        return numbers

    def mean(self, number: float) -> float:
        """Return the mean of all processes' numbers."""
        return float(self.total(torch.tensor(number, dtype=torch.float64))) / self.size

    @_all_there()
    def most(self, count: int) -> int:
        """Return the largest of all processes' counts."""
        largest = torch.tensor(count)
        if self.size > 1:
            dist.all_reduce(largest, dist.ReduceOp.MAX)
        return int(largest)

    def any(self, *, flag: bool) -> bool:
        """Tell whether any process says so."""
        return bool(self.total(torch.tensor(int(flag))))

    @_all_there()
    def gathered(self, value: Any) -> list[Any]:
        """Return what every process has, by rank."""
        if self.size == 1:
            return [value]
        values: list[Any] = [None] * self.size
        dist.all_gather_object(values, value)
        return values

    def wait(self) -> None:
        """Wait until all have come here."""
        self.any(flag=False)

    @_all_there()
    def agree(self, weights: Iterable[torch.Tensor]) -> None:
        """Give all processes the first one's weights."""
        if self.size > 1:
            for weight in weights:
                dist.broadcast(weight.detach(), 0)

    @_all_there()
    def mean_gradients(self, weights: Iterable[torch.Tensor], share: float) -> None:
        """Put in place of each gradient the mean of all processes'.

        Args:
            weights: The same in every process.
            share: How much this one's gradients count; all processes' add up to 1.
        """
        waiting = []
        for weight in weights:
            if weight.grad is None:
                weight.grad = torch.zeros_like(weight)
            weight.grad.mul_(share)
            waiting.append(dist.all_reduce(weight.grad, async_op=True))
        for one in waiting:
            one.wait()


ALONE = Team()


@contextmanager
def joined() -> Iterator[Team]:
    """Join the processes that torchrun started, if it started this one."""
    if not dist.is_torchelastic_launched():
        yield ALONE
        return
    own = _own_gpu()
    if own is not None and own < torch.cuda.device_count():
        # What is parted among processes goes to the current one, whatever device is named.
        torch.cuda.set_device(own)
    # Flags and counts stand in the processor's memory, whatever the device.
    dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield Team(dist.get_rank(), dist.get_world_size())
    finally:
        dist.destroy_process_group()


def device_name(name: str, team: Team) -> str:
    """Return the device of a setting, for a team on GPUs each process's own."""
    own = _own_gpu() if team.size > 1 and name in ("auto", "cuda") else None
    return name if own is None else f"cuda:{own}"


def _own_gpu() -> int | None:
    """Return which of a machine's GPUs is this process's; None where there are none."""
    return dist.get_node_local_rank() if torch.cuda.is_available() else None
