"""The best checkpoint as the package ships it: 16 bits wide, with a card and a README.md."""

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import torch

from benchmarks.starter import mix
from benchmarks.starter.corpora import SOURCES
from benchmarks.starter.readme import readme
from benchmarks.starter.train import NAME, PAST, first_windows
from likeness.card import RunCard
from likeness.files import whole_file
from training.base import STARTER_FOLDER, Base, open_base, quiet
from training.checkpoint import Checkpoint, checkpoints
from training.config import TrainConfig
from training.loop import Plan
from training.loss import scorer_for
from training.outcome import versions
from training.precision import pick_width

_JUDGING_WINDOWS = 40
"""Of each corpus."""
_SHIPPED = ("config.json", "generation_config.json", "model.safetensors", "tokenizer.json",
            "tokenizer_config.json")  # fmt: skip


def install(data: Path, run: Path, config: TrainConfig, into: Path = STARTER_FOLDER) -> RunCard:
    """Ship the checkpoint that predicts best.

    Args:
        data: What `mix.prepare` left.
        run: What `train` left.
        config: The run's settings.
        into: The folder to fill.
    """
    best, identity = _best(run)
    with quiet():
        base = open_base(str(best.folder), config, list)
        held_out = _figures(data, base, config)
        base.model.to(torch.float16)  # type: ignore[arg-type]  # its wrapper hides self
        work = run / "shipped"
        base.save(work)
    into.mkdir(exist_ok=True)
    for name in _SHIPPED:
        shutil.copyfile(work / name, into / name)
    minutes = (best.folder.stat().st_mtime - identity["began"]) / 60
    card = _card(data, base, config, best.step, minutes, held_out)
    for name in PAST:
        card.metrics[name] = round(card.metrics[name] + identity["before"][name], 1)
    with whole_file(into / "README.md") as file:
        file.write(readme(card))
    card.write(into)
    return card


def _best(run: Path) -> tuple[Checkpoint, dict[str, Any]]:
    """Return the best checkpoint of a run, and when and with what the run was begun."""
    found = checkpoints(run)
    state = found[-1].state()
    best_step = state["progress"]["best_step"]
    best = next((one for one in found if one.step == best_step), found[-1])
    return best, state["identity"]


def _figures(data: Path, base: Base, config: TrainConfig) -> dict[str, float]:
    """Return, for each corpus, nats a character of my words in conversations that never taught."""
    scorer = scorer_for(base.model, pick_width("auto", torch.device("cpu")))
    figures = {}
    for name, part in mix.held_out(data).items():
        judge = first_windows([part], _JUDGING_WINDOWS).judge(base, config.eval_batch_rows)
        figures[name] = round(judge.evaluate(scorer).nats_per_character, 4)
    return figures


def _card(
    data: Path,
    base: Base,
    config: TrainConfig,
    step: int,
    minutes: float,
    held_out: dict[str, float],
) -> RunCard:
    counts = mix.account(data)
    taught = mix.taught(data)
    epochs = step / Plan(taught, config, base.context_tokens).steps_per_epoch
    corpora = {
        source.name: {
            "licence": source.licence,
            "attribution": source.attribution,
            "share": source.share,
            **counts[source.name],
        }
        for source in SOURCES
    }
    return RunCard(
        name=NAME,
        me="Somebody",
        base="scratch",
        origin=NAME,
        context_tokens=base.context_tokens,
        gap_seconds=1_800.0,
        settings=dataclasses.asdict(config),
        data=corpora,
        metrics={
            "weights": base.model.num_parameters(),
            "steps": step,
            "minutes": round(minutes, 1),
            "tokens_seen": round(epochs * len(taught.ids)),
            "nats_per_character": held_out,
        },
        versions=versions(),
    )
