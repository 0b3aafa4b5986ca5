"""The steps of a run: one is some batches forward and back, and one change of the weights."""

import gc
import time
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel

from training.adapter import PACE, is_adapted
from training.compiling import can_compile, worth_compiling
from training.loss import scorer_for
from training.memory import fewer_rows, fitting, keep_memory
from training.optimizer import optimizer_for
from training.packing import Row, cut
from training.peak import finished, peak_flops, step_flops
from training.plan import Plan
from training.precision import pick_width
from training.sharding import parted_state, shard, wants_shards, whole_state, whole_weights
from training.team import ALONE, Team
from training.tries import FEWEST_STEPS, Tries

_APART = 1_000_003
"""Between the seeds of two processes: their dropout shall not be the same."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a step gave.

    Attributes:
        loss: The weighted mean, still on the device: to read it is to wait for the device.
        tokens: How many tokens were read, without padding.
        targets: How many of them weigh no less than my words.
        flops: How many operations that took each device, forward and back.
        weight: The sum of all tokens' weights.
    """

    loss: torch.Tensor
    tokens: int
    targets: int
    flops: float
    weight: float


class Trainer:
    """A model on its way, step by step.

    Attributes:
        team: The processes that train it together.
        scorer: The model's forward pass and loss.
        step: How many steps are done.
        busy: Whether it is in the middle of one, or has let go, and so cannot be saved.
        sharded: Whether each process keeps but a share of the weights.
        rows_at_once: How many rows go through together: on a GPU as many of a step's as are
            fastest, elsewhere a batch's; fewer, once memory gave out.
    """

    def __init__(
        self, model: PreTrainedModel, plan: Plan, device: torch.device, team: Team = ALONE
    ) -> None:
        self.model = model
        self.team = team
        self.width = pick_width(plan.config.precision, device)
        config, tokens = plan.config, plan.epochs * int(plan.windows.lengths.sum())
        compiled = worth_compiling(
            config.compile, model.num_parameters(), tokens, device, self.width
        )
        compiled = compiled and can_compile(config.compile, device)
        self.sharded = wants_shards(config.shard, model, team)
        team.agree(model.parameters())
        with fitting(device):
            if self.sharded:
                shard(model, device, self.width, team.size)
            self.model.to(device).train()  # type: ignore[arg-type]  # its wrapper hides self
            self._optimizer = optimizer_for(model, config, self.width, parted=self.sharded)
        self.scorer = scorer_for(model, self.width, compiled=compiled)
        self.plan = plan
        self.device = device
        self.step = 0
        self.busy = False
        self.rows_at_once = config.batch_rows
        self._tries: Tries | None = None
        if device.type == "cuda" and not self.sharded:
            self.rows_at_once *= config.accumulation
            if plan.steps >= FEWEST_STEPS:
                self._tries = Tries(self.rows_at_once)
        self._pace = PACE if is_adapted(model) else 1.0
        self._epoch = (-1, list[list[list[Row]]]())
        torch.manual_seed(config.seed + _APART * team.rank)
        if device.type == "cpu":
            keep_memory()

    @property
    def peak(self) -> float:
        """How many operations a second the device reaches at the most."""
        return peak_flops(self.device, self.width)

    def rate(self, step: int) -> float:
        """Return the learning rate of a step, counted from 0: the plan's, or LoRA's multiple."""
        return self.plan.rate(step) * self._pace

    def take_step(self) -> Taken:
        """Learn from the next batches.

        The loss is the mean over all of them together, each token by its weight: how they are cut
        into batches makes no difference. So where memory gives out, smaller batches go on.

        Raises:
            TrainingError: Not even one row fits into the memory.
        """
        self.busy = True
        taken = self._timed(self._tries) if self._tries else self._fitted()
        if self.team.size > 1:
            taken = self._together(taken)
        self._optimizer.step(self.rate(self.step))
        self._optimizer.zero_grad()
        self.step += 1
        self.busy = False
        return taken

    def _fitted(self) -> Taken:
        # Processes that share a model's weights wait for each other in every layer.
        least = self.rows_at_once if self.sharded else 1
        taken, self.rows_at_once = fewer_rows(self._gradients, self.rows_at_once, least)
        return taken

    def _timed(self, tries: Tries) -> Taken:
        begun = self._now()
        taken = self._fitted()
        seconds = (self._now() - begun) / max(1, taken.tokens)
        self.rows_at_once = tries.after(self.rows_at_once, seconds)
        if tries.over:
            self._tries = None
        return taken

    def _now(self) -> float:
        finished(self.device)
        return time.perf_counter()

    def _gradients(self, rows_at_once: int) -> Taken:
        """Find the gradients of a step; all that takes memory in a step happens here."""
        self._optimizer.zero_grad()
        rows = cut(self._rows(rows_at_once), rows_at_once)
        batches = [self.plan.windows.batch(together) for together in rows]
        weight = sum(batch.weight for batch in batches)
        passes = batches
        if self.sharded:
            # Gradients come as the mean of all processes', who must all go as often through it.
            weight = self.team.mean(weight)
            missing = self.team.most(len(batches)) - len(batches)
            passes = batches + [self.plan.windows.idle()] * missing
        loss = torch.zeros((), device=self.device)
        for batch in passes:
            part = self.scorer(batch).loss / (weight or 1.0)
            part.backward()
            loss += part.detach()
        if self.team.size == 1:
            self._clip()
        return Taken(
            loss,
            sum(batch.tokens for batch in batches),
            sum(batch.targets for batch in batches),
            sum(step_flops(self.model, batch) for batch in batches),
            weight,
        )

    def _together(self, mine: Taken) -> Taken:
        """Put all processes' gradients, and what they read, together."""
        counts = [mine.weight, mine.tokens, mine.targets, mine.flops]
        weight, tokens, targets, flops = self.team.total(
            torch.tensor(counts, dtype=torch.float64)
        ).tolist()
        share = mine.weight / (weight or 1.0)
        if not self.sharded:
            learning = [one for one in self.model.parameters() if one.requires_grad]
            self.team.mean_gradients(learning, share)
        self._clip()
        loss = self.team.total(mine.loss * share)
        return Taken(loss, round(tokens), round(targets), flops / self.team.size, weight)

    def _clip(self) -> None:
        nn.utils.clip_grad_norm_(self.model.parameters(), self.plan.config.max_norm)

    def whole_weights(self) -> dict[str, torch.Tensor] | None:
        """Return all weights to the process that leads; None where the model itself has them."""
        return whole_weights(self.model, keep=self.team.leads) if self.sharded else None

    def let_go(self) -> None:
        """Give back the memory of moments and weights, unless these are parted: it has learnt."""
        self.busy = True
        del self._optimizer
        if not self.sharded:
            self.model.to("meta")  # type: ignore[arg-type]  # its wrapper hides self
        gc.collect()

    def state(self) -> dict[str, Any]:
        """Return all that, beside the weights, makes the next step what it will be."""
        optimizer = self._optimizer.state_dict()
        if self.sharded:
            optimizer = whole_state(optimizer, keep=self.team.leads)
        random = {"cpu": torch.get_rng_state()}
        if self.device.type == "cuda":
            random["cuda"] = torch.cuda.get_rng_state(self.device)
        return {
            "step": self.step,
            "optimizer": optimizer,
            "random": self.team.gathered(random),
            "rows_at_once": self.rows_at_once,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to where `state` was taken; the model has its weights already."""
        self.step = state["step"]
        self.rows_at_once, self._tries = state["rows_at_once"], None
        optimizer = state["optimizer"]
        if self.sharded:
            optimizer = parted_state(optimizer, self._optimizer.weights)
        with fitting(self.device):
            self._optimizer.load_state_dict(optimizer)
        if self.team.rank >= len(state["random"]):
            # There are more processes than there were.
            torch.manual_seed(self.plan.config.seed + _APART * self.team.rank + self.step)
            return
        random = state["random"][self.team.rank]
        torch.set_rng_state(random["cpu"])
        if self.device.type == "cuda" and "cuda" in random:
            torch.cuda.set_rng_state(random["cuda"], self.device)

    def _rows(self, rows_at_once: int) -> list[list[Row]]:
        """Return this process's rows of the next step, in batches that may have to be cut."""
        epoch, place = divmod(self.step, self.plan.steps_per_epoch)
        if self._epoch[0] != epoch:
            self._epoch = (epoch, self.plan.epoch(epoch))
        batches = self._epoch[1][place]
        if self.team.size == 1 and rows_at_once <= self.plan.config.batch_rows:
            return batches
        # All share the same list, however many rows go through at once in each of them.
        return [self.team.share([row for rows in batches for row in rows])]
