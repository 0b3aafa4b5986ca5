"""Whether means of weights predict better than the best weights that a run has been through.

Run `python -m benchmarks.averaging DATA`, where DATA is the folder of the corpora. A run is
evaluated as often as by default; beside the best single weights it judges the mean of the last few
evaluated ones, and means over all steps that forget the older ones (EMA).
"""

import argparse
import tempfile
from pathlib import Path

import torch
from transformers import PreTrainedModel

from benchmarks.folders import existing_folder
from benchmarks.people import PEOPLE, write_messages
from training.base import STARTER_FOLDER, open_base, quiet
from training.config import TrainConfig
from training.corpus import build_corpus
from training.evaluate import Judge
from training.loop import Trainer
from training.plan import Plan
from training.survey import survey

_DECAYS = (0.8, 0.95, 0.99)
_LAST = (2, 3, 4)

Weights = list[torch.Tensor]


def weights_of(model: PreTrainedModel) -> Weights:
    """Return a copy of all weights."""
    return [weight.detach().clone() for weight in model.parameters()]


def put(model: PreTrainedModel, weights: Weights) -> None:
    """Give a model other weights."""
    with torch.no_grad():
        for own, other in zip(model.parameters(), weights, strict=True):
            own.copy_(other)


def mean(many: list[Weights]) -> Weights:
    """Return the mean of several weights."""
    return [torch.stack(same).mean(0) for same in zip(*many, strict=True)]


def measure(messages: Path, base_folder: Path, config: TrainConfig) -> list[float]:
    """Train once; return the nats a character of the best weights, and of each mean."""
    base = open_base(str(base_folder), config, list)
    room, found = base.context_tokens, survey(messages, masking=bool(config.mask))
    corpus = build_corpus(messages, found, config, base.tags, room)
    judge = Judge(corpus.held_out, corpus.held_out_characters, base.tags, 8, room)
    trainer = Trainer(base.model, Plan(corpus.train, config, room), torch.device("cpu"))

    def judged(weights: Weights | None = None) -> float:
        now = weights_of(base.model)
        put(base.model, weights or now)
        nats = judge.evaluate(trainer.scorer).nats_per_character
        put(base.model, now)
        return nats

    single: list[float] = []
    evaluated: list[Weights] = []
    moving = [weights_of(base.model) for _ in _DECAYS]
    while trainer.step < trainer.plan.steps:
        trainer.take_step()
        now = weights_of(base.model)
        for decay, weights in zip(_DECAYS, moving, strict=True):
            for own, new in zip(weights, now, strict=True):
                own.lerp_(new, 1 - min(decay, trainer.step / (trainer.step + 9)))
        if trainer.step % trainer.plan.eval_every == 0 or trainer.step == trainer.plan.steps:
            single.append(judged())
            evaluated = [*evaluated, now][-max(_LAST) :]
    return [
        min(single),
        *(judged(mean(evaluated[-count:])) for count in _LAST),
        *map(judged, moving),
    ]


def main() -> None:
    """Train on each person, and print a table of nats a character."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=existing_folder, help="the folder of the corpora")
    parser.add_argument("--people", nargs="+", default=["crd3", "group-chat"], choices=PEOPLE)
    parser.add_argument("--base", type=Path, default=STARTER_FOLDER, help="a model folder")
    parser.add_argument("--characters", type=int, default=30_000, help="of each corpus")
    parser.add_argument("--set", dest="settings", nargs="+", default=[], metavar="KEY=VALUE")
    asked = parser.parse_args()
    config = TrainConfig.from_settings(["held_out_share=0.2", *asked.settings])
    names = ["best", *(f"mean of last {count}" for count in _LAST)]
    print("| who |", " | ".join([*names, *(f"EMA {decay}" for decay in _DECAYS)]), "|")
    print("|---" * (1 + len(names) + len(_DECAYS)) + "|")
    for name in asked.people:
        with tempfile.TemporaryDirectory() as folder, quiet():
            messages = write_messages(PEOPLE[name], asked.data, Path(folder), asked.characters)
            found = measure(messages, asked.base, config)
        print(f"| {name} |", " | ".join(f"{nats:.4f}" for nats in found), "|", flush=True)


if __name__ == "__main__":
    main()
