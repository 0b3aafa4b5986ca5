"""report.json and report.html: how a run went, and how the model speaks beside me."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from likeness.card import FILE_NAME as CARD
from likeness.card import RunCard
from likeness.errors import ModelNotFound
from likeness.files import whole_file
from likeness.messages import Message
from likeness.quotes import OthersWords
from training.measures import measures
from training.moments import Moment
from training.page import page
from training.watch import METRICS

REPORT = "report.json"
PAGE = "report.html"
_SHOWN = 10
_SHOWN_CONTEXT = 6


def compare(moments: Sequence[Moment], written: Sequence[list[str]]) -> dict[str, Any]:
    """Return what the report keeps of moments: ten of them whole, of all of them the measures."""
    mine = [[message.text for message in moment.mine] for moment in moments]
    shown = range(0, len(moments), max(1, -(-len(moments) // _SHOWN)))
    return {
        "pairs": [
            {"context": told(moments[n].context), "me": mine[n], "model": written[n]} for n in shown
        ],
        "me": [measures(reply) for reply in mine],
        "model": [measures(reply) for reply in written],
    }


def quoting(replies: Sequence[list[str]], others: OthersWords) -> int:
    """Return how many replies hold what others wrote, word for word."""
    return sum(any(map(others.quoted_in, reply)) for reply in replies)


def told(context: Sequence[Message]) -> list[dict[str, object]]:
    """Return the newest messages of a context as a page shows them: who, if it was me, the text."""
    return [
        {"speaker": message.speaker, "mine": bool(message.outgoing), "text": message.text}
        for message in [message for message in context if message.shown][-_SHOWN_CONTEXT:]
    ]


def leave_report(run: Path, card: RunCard, compared: dict[str, Any]) -> None:
    """Write a run's report into its folder: the data, and the page made of it.

    Both hold people's words, and only their owner may read the files.

    Raises:
        LikenessError: The disk does not take it.
    """
    with whole_file(run / REPORT) as file:
        json.dump(compared, file, ensure_ascii=False)
    _write_page(run, card, compared)


def report_again(run: Path) -> Path:
    """Make the page of a finished run anew from what the run has kept.

    Returns:
        Where the page lies.

    Raises:
        ModelNotFound: There is no such run, or it kept nothing to report, or that is damaged.
        LikenessError: The disk does not take it.
    """
    card, compared = RunCard.read(run), kept_report(run)
    try:
        _write_page(run, card, compared)
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise ModelNotFound(
            f"{run / CARD}, {METRICS} or {REPORT} beside it lacks what a report is made of, or is "
            "damaged: train again."
        ) from error
    return run / PAGE


def kept_report(run: Path) -> dict[str, Any]:
    """Return what a run has kept for its report.

    Raises:
        ModelNotFound: It kept nothing.
    """
    try:
        compared: Any = json.loads((run / REPORT).read_text(encoding="utf-8"))
        if isinstance(compared, dict) and compared.keys() >= {"pairs", "me", "model"}:
            return compared
        reason = None
    except (OSError, ValueError) as error:
        reason = error
    raise ModelNotFound(
        f"{run / REPORT} is missing or damaged, and a report is made of it: train again."
    ) from reason


def _write_page(run: Path, card: RunCard, compared: dict[str, Any]) -> None:
    with whole_file(run / PAGE) as file:
        file.write(page(dataclasses.asdict(card), _metrics(run), compared))


def _metrics(run: Path) -> list[dict[str, Any]]:
    """Return what a run told while it went; nothing where that is gone."""
    try:
        lines = (run / METRICS).read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]
    except (OSError, ValueError):
        return []
