"""Fifty replies of the demo's person, from nothing and from the starter, to the same contexts.

Run `python -m benchmarks.starter.replies > docs/starter-replies.md`. The contexts are the newest
quarter of the demo's invented chat, which neither model has learnt from; nothing is selected. Each
writes with the setting that the end of `likeness train` would choose for it.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.starter.fine_tuning import write_demo
from benchmarks.starter.train import Lines
from likeness.cli.tune import try_settings
from training.base import SCRATCH, STARTER
from training.config import TrainConfig
from training.moments import Moment, read_moments
from training.run import train
from training.tune import QUICK, best_of

_REPLIES = 50
_SETTINGS = ("held_out_share=0.25", f"report_replies={_REPLIES}")
_SHOWN = 2
"""Messages of a context that are printed; the models see all of it."""


class Silent(Lines):
    """A watch whose lines would stand in the page."""

    def base(self, description: str) -> None:
        """Say nothing."""

    def evaluated(self, step: int, evaluation: object) -> None:
        """Say nothing."""

    def stepped(self, step: object) -> None:
        """Say nothing."""


def replies(
    messages: Path, run: Path, base: str, settings: Sequence[str] = ()
) -> tuple[list[Moment], list[list[str]]]:
    """Fine-tune a base on the demo's chat, and let it speak where its person spoke later."""
    config = TrainConfig.from_settings([*_SETTINGS, *settings], base=base)
    train(messages, run, base=base, config=config, speaker=None, resume=False, watch=Silent())
    moments = read_moments(run)
    trials = try_settings(run, moments, device="cpu", seed=0, grid=QUICK)
    return moments, best_of(trials).replies


def main() -> None:
    """Print the page."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        messages = write_demo(Path(folder))
        moments, from_nothing = replies(messages, Path(folder, SCRATCH), SCRATCH)
        _, from_starter = replies(messages, Path(folder, STARTER), STARTER)
    print("# Replies, unselected\n\nMade by `python -m benchmarks.starter.replies`.\n")
    print("| to | Juno wrote | scratch | starter |\n|---|---|---|---|")
    for moment, scratch, starter in zip(moments, from_nothing, from_starter, strict=True):
        said = [f"{one.speaker}: {one.text}" for one in moment.context[-_SHOWN:]]
        wrote = [one.text for one in moment.mine]
        cells = [_cell(part) for part in (said, wrote, scratch, starter)]
        print(f"| {' | '.join(cells)} |")


def _cell(messages: list[str]) -> str:
    return "<br>".join(messages).replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    main()
