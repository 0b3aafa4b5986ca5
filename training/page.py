"""The page of a report: one file, without anything from elsewhere, light or dark as one likes."""

from collections.abc import Mapping, Sequence
from html import escape
from itertools import pairwise
from typing import Any

from likeness import masking
from likeness.quotes import RUN_WORDS
from likeness.texts import counted
from training.plots import Points, curves, shares
from training.style import STYLE

_LENGTHS = (("1-9", 10), ("10-19", 20), ("20-39", 40), ("40-79", 80), ("80-159", 160))
_COUNTS = (("0", 1), ("1", 2), ("2", 3), ("3", 4), ("4", 5))


def page(
    card: Mapping[str, Any], metrics: Sequence[Mapping[str, Any]], compared: Mapping[str, Any]
) -> str:
    """Return the page.

    Args:
        card: The run's card, as plain values.
        metrics: The lines of its metrics file.
        compared: What its `report.json` holds.
    """
    me = escape(card["me"])
    sections = [
        _figures(card),
        f"<section class='two'>{_losses(metrics)}{_held_out(metrics)}</section>",
        _balance(card["data"]),
        _distributions(compared),
        _quoting(compared),
        _trials(compared),
        _reliability(compared),
        _pairs(compared, me),
    ]
    return (
        "<!doctype html>\n<html lang='en'><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width,initial-scale=1'>"
        f"<title>{escape(card['name'])}: {me}</title><style>{STYLE}</style>"
        f"<header><h1>{me}</h1><p>{escape(card['name'])}, trained from "
        f"{escape(card['base'])} on {counted(card['data']['train'], 'message')}</p></header>"
        f"<main>{''.join(sections)}</main>"
        "<footer>This page holds people's words. Only you may read the file; think before you pass "
        f"it on. Likeness {escape(card['versions'].get('likeness', ''))}</footer></html>\n"
    )


def _figures(card: Mapping[str, Any]) -> str:
    metrics, data = card["metrics"], card["data"]
    before, after = metrics["before"], metrics["after"]
    tiles = []
    if before and after:
        tiles += [
            _tile("perplexity of my words", before["perplexity"], after["perplexity"], ",.1f"),
            _tile(
                "nats a character", before["nats_per_character"], after["nats_per_character"], ".3f"
            ),
        ]
    tiles.append(
        f"<div class='tile'><b>{data['train']:,}</b><span>messages of mine teach</span></div>"
    )
    share = metrics.get("learnt_share", 1.0)
    mixed = "" if share == 1 else f", {share:.0%} of the way from the base"
    tiles.append(
        f"<div class='tile'><b>{metrics['best_step']:,}<small> of {metrics['steps']:,}</small></b>"
        f"<span>steps made the best weights{mixed}</span></div>"
    )
    return f"<section class='tiles'>{''.join(tiles)}</section>"


def _tile(what: str, before: float, after: float, form: str) -> str:
    return (
        f"<div class='tile'><b>{after:{form}}<small> from {before:{form}}</small></b>"
        f"<span>{what}, held out</span></div>"
    )


def _losses(metrics: Sequence[Mapping[str, Any]]) -> str:
    training = [(line["step"], line["loss"]) for line in metrics if "loss" in line]
    if not training:
        return ""
    held_out = [(line["step"], line["held_out"]["loss"]) for line in metrics if "held_out" in line]
    lines: list[tuple[str, str, Points]] = [("training", "other", training)]
    if held_out:
        lines.append(("held out", "model", held_out))
    key = _key([(name, kind) for name, kind, _ in lines])
    return _figure("Loss, in nats a token", key, curves(lines, "steps"))


def _held_out(metrics: Sequence[Mapping[str, Any]]) -> str:
    points = [
        (line["step"], line["held_out"]["nats_per_character"])
        for line in metrics
        if "held_out" in line
    ]
    if not points:
        return ""
    key = _key([("held-out messages of mine", "me")])
    return _figure(
        "My words, in nats a character", key, curves([("held out", "me", points)], "steps")
    )


def _balance(data: Mapping[str, Any]) -> str:
    parts = [("teach", data["train"], "model"), ("held out", data["held_out"], "me")]
    parts += [(why, count, "other") for why, count in data["left_out"].items()]
    bar = "".join(
        f"<i class='{kind}' style='flex:{count}' title='{escape(why)}: {count:,}'></i>"
        for why, count, kind in parts
        if count
    )
    said = " + ".join(
        f"<span class='part {kind}'><b>{count:,}</b> {escape(why)}</span>"
        for why, count, kind in parts
    )
    short = f" {data['shortened']:,} were longer than a row." if data.get("shortened") else ""
    if data.get("masked"):
        short += f" {masking.account(data['masked'])}"
    return (
        "<section><h2>Where my messages went</h2>"
        f"<div class='balance' aria-hidden='true'>{bar}</div>"
        f"<p><b>{data['mine']:,}</b> of {data['messages']:,} messages are mine = {said}.{short}</p>"
        "</section>"
    )


def _distributions(compared: Mapping[str, Any]) -> str:
    if not compared["me"]:
        return ""
    plots = [
        ("Length of a reply, in characters", "characters", _LENGTHS, "160+"),
        ("Messages in a reply", "messages", _COUNTS, "5+"),
        ("Emoji in a reply", "emoji", _COUNTS, "5+"),
    ]
    key = _key([("me", "me"), ("the model", "model")])
    drawn = "".join(
        _figure(
            title,
            key,
            shares(
                [*(label for label, _ in bins), last],
                _shares([reply[what] for reply in compared["me"]], bins),
                _shares([reply[what] for reply in compared["model"]], bins),
            ),
        )
        for title, what, bins, last in plots
    )
    return (
        f"<h2>How we write: the same {counted(len(compared['me']), 'held-out moment')}</h2>"
        f"<section class='three'>{drawn}</section>"
    )


_QUESTIONS = (
    ("finished", "They have finished, says the model"),
    ("my_turn", "It is my turn, says the model"),
)


def _quoting(compared: Mapping[str, Any]) -> str:
    quoting = compared.get("quoting")
    if quoting is None or not compared["me"]:
        return ""
    # Those beside mine may be fewer and newer: as many as were needed to choose a setting.
    replied = compared.get("replied")
    replies = "the replies" if replied is None else f"the {replied:,} replies"
    return (
        "<section><h2>Other people's words</h2><p>"
        f"<b>{quoting:,}</b> of {replies} that the model wrote when it had learnt hold "
        f"{RUN_WORDS} words in a row which somebody else wrote and I never did. "
        "The bot does not send such messages.</p></section>"
    )


def _trials(compared: Mapping[str, Any]) -> str:
    trials = compared.get("trials")
    if not trials:
        return ""
    sums = [sum(trial["misfit"].values()) for trial in trials]
    chosen = (number for number, trial in enumerate(trials) if trial.get("chosen"))
    best = next(chosen, sums.index(min(sums)))
    columns = ("temperature", "top-p", "min-p", "sum", *trials[0]["misfit"])
    head = "".join(f"<th scope=col>{escape(what)}</th>" for what in columns)
    rows = "".join(
        f"<tr{' class=best' if number == best else ''}><td>{trial['temperature']:g}</td>"
        f"<td>{trial['top_p']:g}</td><td>{trial.get('min_p', 0):g}</td><td>{total:.2f}</td>"
        + "".join(f"<td>{value:.2f}</td>" for value in trial["misfit"].values())
        + "</tr>"
        for number, (trial, total) in enumerate(zip(trials, sums, strict=True))
    )
    one = trials[best]
    setting = f"temperature {one['temperature']:g}, top-p {one['top_p']:g}"
    setting += f", min-p {one.get('min_p', 0):g}"
    return (
        "<h2>How differently the model writes, setting by setting</h2><p>0 is just as I do. Of "
        "those that chance alone may part from the least sum, chat and serve use the one with the "
        f"lowest temperature: {setting}.</p>"
        "<section class='scroll' tabindex='0' aria-label='Settings that were tried'>"
        f"<table><tr>{head}</tr>{rows}</table></section>"
    )


def _reliability(compared: Mapping[str, Any]) -> str:
    asked = [(title, compared.get("reliability", {}).get(name)) for name, title in _QUESTIONS]
    drawn = "".join(
        _figure(
            f"{title}: how often it came true",
            _key([("said", "other"), ("came true", "model")]),
            curves(
                [
                    ("said", "other", [(0.0, 0.0), (100.0, 1.0)]),
                    ("came true", "model", [(100 * b["said"], b["happened"]) for b in bins]),
                ],
                f"percent said, on {counted(sum(b['times'] for b in bins), 'held-out message')}",
            ),
        )
        for title, bins in asked
        if bins
    )
    return f"<section class='two'>{drawn}</section>" if drawn else ""


def _shares(values: Sequence[float], bins: Sequence[tuple[str, int]]) -> list[float]:
    """Return what share of values falls below each bin's end and into no bin before; last, rest."""
    below = [sum(value < end for value in values) for _, end in bins]
    ends = [0, *below, len(values)]
    return [(end - begin) / len(values) for begin, end in pairwise(ends)]


def _figure(title: str, key: str, drawing: str) -> str:
    return f"<figure><figcaption>{title}{key}</figcaption>{drawing}</figure>"


def _key(names: Sequence[tuple[str, str]]) -> str:
    keys = "".join(f"<span class='key {kind}'>{escape(name)}</span>" for name, kind in names)
    return f"<span class='keys'>{keys}</span>"


def _pairs(compared: Mapping[str, Any], me: str) -> str:
    if not compared["pairs"]:
        return ""
    cards = "".join(_pair(pair, me) for pair in compared["pairs"])
    seen = "It has seen each of these moments once, in its last lesson."
    unseen = "It had never seen any of these moments when it wrote this."
    return (
        "<h2>What I said, and what the model says</h2>"
        f"<p>{seen if compared.get('shown_once') else unseen}</p>"
        f"<section class='pairs'>{cards}</section>"
    )


def _pair(pair: Mapping[str, Any], me: str) -> str:
    context = "".join(
        f"<p class='{'mine' if one['mine'] else 'theirs'}'><cite>{escape(one['speaker'])}</cite>"
        f"{escape(one['text'])}</p>"
        for one in pair["context"]
    )
    return (
        f"<article><div class='context'>{context}</div><div class='replies'>"
        f"{_reply(me, 'me', pair['me'])}{_reply('the model', 'model', pair['model'])}"
        "</div></article>"
    )


def _reply(who: str, kind: str, texts: Sequence[str]) -> str:
    said = "".join(f"<p>{escape(text)}</p>" for text in texts) or "<p class='silent'>nothing</p>"
    return f"<div class='reply {kind}'><cite>{who}</cite>{said}</div>"
