"""What each setting does to how well held-out words are predicted, other settings being the same.

Run `python -m benchmarks.ablations DATA context_weight`, where DATA is the folder of the corpora;
any setting can be named, with `--values` for others than the usual.
"""

import argparse
import tempfile
from pathlib import Path
from statistics import mean

from benchmarks.folders import existing_folder
from benchmarks.people import PEOPLE, write_messages
from benchmarks.runs import run
from benchmarks.small_base import small_base
from training.base import quiet
from training.config import TrainConfig

VALUES = {
    "context_weight": ["0", "0.03", "0.1", "0.3", "1"],
    "learning_rate": ["2e-4", "5e-4", "1e-3", "2e-3", "4e-3"],
    "epochs": ["1", "2", "4", "8"],
    "dropout": ["0", "0.1", "0.2"],
}
_GROUPS = ("crd3", "ubuntu-irc", "group-chat")


def main() -> None:
    """Train once for each value, person and seed, and print a table of nats a character."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=existing_folder, help="the folder of the corpora")
    parser.add_argument("setting", help=f"such as {', '.join(VALUES)}")
    parser.add_argument("--values", nargs="+", help="of the setting")
    parser.add_argument("--people", nargs="+", default=_GROUPS, choices=PEOPLE)
    parser.add_argument("--base", type=Path, help="a model folder, or scratch; else a small one")
    parser.add_argument("--base-tokens", type=int, default=1_000_000, help="that it reads")
    parser.add_argument("--characters", type=int, default=100_000, help="of each corpus")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--set", dest="settings", nargs="+", default=[], metavar="KEY=VALUE")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir(), "likeness-bases"))
    asked = parser.parse_args()
    if not asked.values and asked.setting not in VALUES:
        parser.error(f"say with --values which values of {asked.setting} to try")
    base = asked.base or small_base(asked.data, asked.cache, asked.base_tokens)
    values = asked.values or VALUES[asked.setting]
    print(f"| {asked.setting} | {' | '.join(values)} |")
    print("|---" * (len(values) + 1) + "|")
    for name in asked.people:
        print(f"| {name} |", end="", flush=True)
        with tempfile.TemporaryDirectory() as folder, quiet():
            messages = write_messages(PEOPLE[name], asked.data, Path(folder), asked.characters)
            for value in values:
                settings = [*asked.settings, f"{asked.setting}={value}"]
                nats = mean(
                    trained(messages, Path(folder, f"{value}-{seed}"), base, settings, seed)
                    for seed in range(asked.seeds)
                )
                print(f" {nats:.4f} |", end="", flush=True)
        print()


def trained(messages: Path, folder: Path, base: Path, settings: list[str], seed: int) -> float:
    """Train once, and return the nats a character of the best weights."""
    told = ["held_out_share=0.2", "report_replies=0", f"seed={seed}", *settings]
    config = TrainConfig.from_settings(told, base=str(base))
    card, _ = run(messages, folder, base, config)
    return float(card.metrics["after"]["nats_per_character"])


if __name__ == "__main__":
    main()
