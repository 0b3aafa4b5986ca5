"""`python -m benchmarks.starter prepare | train | install`: the starter, from its corpora on."""

import argparse
from pathlib import Path

from benchmarks.starter import mix
from benchmarks.starter.install import install
from benchmarks.starter.train import train
from training.base import STARTER_FOLDER
from training.config import TrainConfig

CORPORA = Path("../shared/data/corpora")
WORK = Path("runs/starter")
VOCABULARY = 8192
SETTINGS = (
    "layers=8",
    "width=256",
    "heads=4",
    "context_tokens=512",
    "dropout=0",
    "batch_rows=4",
    "eval_batch_rows=8",
    "accumulation=2",
    "optimizer=muon",
    "learning_rate=1.5e-3",
    "weight_decay=0.1",
    "warmup_steps=100",
    "epochs=40",
    "eval_every=500",
    "save_every=200",
    "patience=none",
    "mask=0",
)
"""What `docs/starter.md` tells of; the clock ends the run long before its epochs do."""


def main() -> None:
    """Run one step of the recipe."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.starter", description=__doc__)
    parser.add_argument("--work", type=Path, default=WORK, help="where everything is kept")
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="KEY=VALUE")
    steps = parser.add_subparsers(dest="step", required=True)
    preparing = steps.add_parser("prepare", help="corpora to token ids, with a tokenizer of theirs")
    preparing.add_argument("--corpora", type=Path, default=CORPORA)
    preparing.add_argument("--vocabulary", type=int, default=VOCABULARY)
    _further(preparing, "keep the tokenizer of this starter (the shipped one), to train it further")
    training = steps.add_parser("train", help="token ids to checkpoints")
    training.add_argument("--minutes", type=float, default=180)
    training.add_argument(
        "--steady", type=float, default=0, metavar="SHARE", help="of the time, at the full rate"
    )
    training.add_argument("--resume", action="store_true", help="go on after a stop")
    _further(training, "begin with the weights of this starter (the shipped one)")
    steps.add_parser("install", help="the best checkpoint to training/starter")
    told = parser.parse_args()
    config = TrainConfig.from_settings([*SETTINGS, *told.settings])
    data, run = told.work / "data", told.work / "run"
    if told.step == "prepare":
        tokens = config.context_tokens or 512
        mix.prepare(told.corpora, data, told.vocabulary, tokens, told.further)
    elif told.step == "train":
        train(
            data, run, config, told.minutes,
            steady=told.steady, resume=told.resume, further=told.further,
        )  # fmt: skip
    else:
        install(data, run, config)


def _further(step: argparse.ArgumentParser, described: str) -> None:
    step.add_argument(
        "--further", nargs="?", type=Path, const=STARTER_FOLDER, metavar="FOLDER", help=described
    )


if __name__ == "__main__":
    main()
