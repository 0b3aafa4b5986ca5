"""How well models predict everyday talk that none of them has read.

Run `python -m benchmarks.starter.everyday DATA MODEL [MODEL ...]`, where DATA holds
`corpora/dailydialog.jsonl.gz`, whose licence lets it judge but not teach a model that is shipped.
"""

import argparse
from pathlib import Path

import torch

from benchmarks.folders import existing_folder
from benchmarks.starter import mix
from benchmarks.starter.corpora import Source
from training.base import open_base, quiet
from training.config import TrainConfig
from training.loss import scorer_for
from training.precision import pick_width

DAILY_DIALOG = Source(
    "dailydialog",
    "CC-BY-NC-SA-4.0",
    "DailyDialog: Li et al. (2017)",
    share=0.0,
    held_out=1.0,
    spoken=True,
)
_CONFIG = TrainConfig.from_settings(["dropout=0", "context_tokens=512"])


def everyday(corpora: Path, model: str) -> float:
    """Return nats a character of one speaker's words in 400 of its dialogues."""
    with quiet():
        base = open_base(model, _CONFIG, list)
        held_out = mix.of_held_out(corpora, DAILY_DIALOG, base.tags, base.context_tokens)
        judge = held_out.judge(base, _CONFIG.eval_batch_rows)
        scorer = scorer_for(base.model, pick_width("auto", torch.device("cpu")))
        return judge.evaluate(scorer).nats_per_character


def main() -> None:
    """Print a row for each model."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.starter.everyday")
    parser.description = __doc__
    parser.add_argument("data", type=existing_folder)
    parser.add_argument("models", nargs="+", metavar="MODEL")
    told = parser.parse_args()
    print("| model | nats a character |\n|---|---|")
    for model in told.models:
        print(f"| {model} | {everyday(told.data / 'corpora', model):.3f} |", flush=True)


if __name__ == "__main__":
    main()
