"""`/settings`: how the bot writes in one chat, changed by buttons or by words."""

from collections.abc import Sequence
from dataclasses import replace
from typing import cast, get_args

from bot.orders import Order
from bot.outlet import Button, Reply
from bot.pace import Chattiness, Customs, Pace

HOTTEST = 2.0
"""Above that a model writes letters, not words."""
TEMPERATURES = (0.5, 0.8, 1.0, 1.2)
NOT_UNDERSTOOD = (
    "I understand: temperature 0 to 2, pace off, quick or natural, chattiness silent, quiet, "
    "lively or chatty; or usual for each."
)


async def change(order: Order) -> Reply:
    """Change one thing if the words say which, and show how everything is set."""
    history = order.conversation.history
    customs = await history.customs(order.chat)
    if order.words:
        changed = _changed(customs, order.words.lower().split())
        if changed is None:
            return Reply(NOT_UNDERSTOOD)
        customs = changed
        await history.set_customs(order.chat, customs)
    return _shown(order, customs)


def _changed(customs: Customs, words: list[str]) -> Customs | None:
    match words:
        case ["temperature", "usual"]:
            return replace(customs, temperature=None)
        case ["pace", "usual"]:
            return replace(customs, pace=None)
        case ["chattiness", "usual"]:
            return replace(customs, chattiness=None)
        case ["temperature", number]:
            heat = _number(number)
            return None if heat is None else replace(customs, temperature=heat)
        case ["pace", pace] if pace in get_args(Pace):
            return replace(customs, pace=cast("Pace", pace))
        case ["chattiness", chattiness] if chattiness in get_args(Chattiness):
            return replace(customs, chattiness=cast("Chattiness", chattiness))
    return None


def _number(word: str) -> float | None:
    try:
        found = float(word.replace(",", "."))
    except ValueError:
        return None
    return found if 0 <= found <= HOTTEST else None


def _shown(order: Order, customs: Customs) -> Reply:
    usual = order.conversation.manner
    here = customs.manner(usual)
    heat = (
        order.conversation.voice.usual.temperature
        if customs.temperature is None
        else customs.temperature
    )
    lines = [
        f"Temperature: {heat:g}. Low is tame, high is wild.",
        f"Pace: {here.pace}. How fast I seem to type.",
    ]
    rows = [
        _row("temperature", [f"{heat:g}" for heat in TEMPERATURES], f"{heat:g}"),
        _row("pace", get_args(Pace), here.pace),
    ]
    if order.visitor.group:
        lines.append(f"Chattiness: {here.chattiness}. How often I chime in.")
        rows.append(_row("chattiness", get_args(Chattiness), here.chattiness))
    return Reply("\n".join(lines), tuple(rows))


def _row(what: str, choices: Sequence[str], chosen: str) -> tuple[Button, ...]:
    return tuple(
        Button(f"✓ {choice}" if choice == chosen else choice, f"settings {what} {choice}")
        for choice in choices
    )
