"""quiz.html: a page on which friends guess which of two replies at a moment is mine."""

import json
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from likeness.files import whole_file
from training.moments import Moment
from training.report import told
from training.style import STYLE

PAGE = "quiz.html"
_95_PERCENT = 1.959964
"""Standard deviations of a normal distribution, to both sides."""


@dataclass(frozen=True, slots=True)
class Question:
    """A moment, and two replies to it.

    Attributes:
        context: The newest messages before: who, whether it was me, and the text.
        replies: The messages of both, mine among them.
        mine: Which of the two is mine.
    """

    context: list[dict[str, object]]
    replies: tuple[list[str], list[str]]
    mine: int


def questions(
    moments: Sequence[Moment], written: Sequence[list[str]], most: int, seed: int
) -> list[Question]:
    """Return questions in the order of their moments; mine stands first as often as not.

    A moment at which both say the same, or one of both nothing, asks nothing.

    Args:
        moments: At which I spoke.
        written: What the model said there, message by message.
        most: How many questions are wanted.
        seed: Draws the moments, and which reply stands first.
    """
    dice = random.Random(seed)  # noqa: S311 - a game
    pairs = [
        (moment, mine, models)
        for moment, models in zip(moments, written, strict=True)
        if (mine := [text for message in moment.mine if (text := message.text.strip())]) and models
        if mine != models
    ]
    drawn = sorted(dice.sample(range(len(pairs)), min(most, len(pairs))))
    places = [number % 2 for number in range(len(drawn))]
    dice.shuffle(places)
    return [
        Question(told(moment.context), (models, mine) if place else (mine, models), place)
        for (moment, mine, models), place in zip((pairs[n] for n in drawn), places, strict=True)
    ]


def interval(right: int, of: int) -> tuple[float, float]:
    """Return between which shares the true one lies, with 95 % confidence.

    Source: Wilson, Probable Inference, the Law of Succession, and Statistical Inference (1927).
    """
    share, squared = right / of, _95_PERCENT**2
    middle = (share + squared / (2 * of)) / (1 + squared / of)
    reach = math.sqrt(share * (1 - share) / of + squared / (4 * of**2))
    reach *= _95_PERCENT / (1 + squared / of)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def verdict(right: int, of: int, me: str) -> str:
    """Return what some right answers say of whoever gave them."""
    low, high = interval(right, of)
    if low > 0.5:
        known = f"So you do tell {me} from the model."
    elif high < 0.5:
        known = f"So you take the model for {me} more often than {me}."
    else:
        known = (
            f"So few answers do not show whether you can tell {me} from the model: it may have "
            "been luck."
        )
    return (
        f"Guessing finds half. By so many answers you would find {me} in {low:.0%} to {high:.0%} "
        f"of all cases (95% confidence). {known}"
    )


def leave_quiz(run: Path, me: str, asked: Sequence[Question], *, seen: bool) -> Path:
    """Write the page into a run's folder; only its owner may read it, until they pass it on.

    Args:
        run: The run's folder.
        me: Whom the model plays.
        asked: At least one question.
        seen: Whether the moments have taught the model.

    Returns:
        Where the page lies.

    Raises:
        LikenessError: The disk does not take it.
    """
    with whole_file(run / PAGE) as file:
        file.write(_page(me, asked, seen=seen))
    return run / PAGE


def _page(me: str, asked: Sequence[Question], *, seen: bool) -> str:
    data = {
        "me": me,
        "questions": [
            {"context": one.context, "replies": one.replies, "mine": one.mine} for one in asked
        ],
        "verdicts": [verdict(right, len(asked), me) for right in range(len(asked) + 1)],
    }
    once = "The model has seen these moments once, after all others. " if seen else ""
    title = f"Which one is {escape(me)}?"
    return (
        "<!doctype html>\n<html lang='en'><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width,initial-scale=1'>"
        f"<title>{title}</title><style>{STYLE}{_STYLE}</style>"
        f"<header><h1>{title}</h1><p id='where' tabindex='-1'>Open this page in a browser: "
        "it needs JavaScript.</p></header>"
        "<main><article><div class='context' id='context'></div></article>"
        "<div class='choices' id='choices'></div>"
        "<p id='verdict' aria-live='polite'></p><button id='next' hidden>Next</button></main>"
        f"<footer>{once}This page holds people's words, and the answers: think before you pass it "
        "on. Nothing that is clicked here leaves it.</footer>"
        f"<script type='application/json' id='data'>{_embedded(data)}</script>"
        f"<script>{_SCRIPT}</script></html>\n"
    )


def _embedded(data: dict[str, Any]) -> str:
    """Return JSON in which no text ends the element that it stands in."""
    return json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")


_STYLE = """
main{max-width:760px}header,footer{max-width:760px}
.choices{display:grid;grid-template-columns:1fr 1fr;gap:14px;margin-top:16px;align-items:start}
button{font:inherit;color:inherit;background:var(--card);border:1px solid var(--line);
border-radius:14px;padding:14px 18px;cursor:pointer}
.choices button{text-align:left;border-width:2px}
.choices button:enabled:hover,button:focus-visible{border-color:var(--me);outline:none}
.choices p{margin:4px 0;white-space:pre-wrap;overflow-wrap:anywhere}
.choices cite{display:block;min-height:1.5em;font-size:13px;color:var(--c,var(--soft))}
.choices .me,.choices .model{border-color:var(--c);cursor:default}
.choices .taken{box-shadow:0 0 0 3px color-mix(in srgb,var(--c) 25%,transparent)}
#where{outline:none;scroll-margin-top:20px}
#verdict{min-height:1.6em;font-size:17px;color:var(--ink)}#next{padding:10px 26px}
@media(max-width:520px){.choices{grid-template-columns:1fr}}
"""

_SCRIPT = """
const {me, questions, verdicts} = JSON.parse(document.getElementById('data').textContent);
const [where, context, choices, verdict, next] =
  ['where', 'context', 'choices', 'verdict', 'next'].map(id => document.getElementById(id));
let at = 0, right = 0;

function element(tag, text, kind) {
  const made = document.createElement(tag);
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

function ask() {
  const {context: before, replies} = questions[at];
  where.textContent = `${at + 1} of ${questions.length}: one of these ${me} really wrote.`;
  context.replaceChildren(...before.map(one => {
    const bubble = element('p', '', one.mine ? 'mine' : 'theirs');
    bubble.append(element('cite', one.speaker), one.text);
    return bubble;
  }));
  choices.replaceChildren(...replies.map((texts, place) => {
    const choice = element('button', '');
    choice.append(element('cite', `${place + 1}`), ...texts.map(text => element('p', text)));
    choice.onclick = () => answer(place);
    return choice;
  }));
  verdict.textContent = '';
  next.hidden = true;
}

function answer(place) {
  if (!next.hidden || at >= questions.length) return;
  const {mine} = questions[at];
  right += place === mine;
  [...choices.children].forEach((choice, number) => {
    choice.disabled = true;
    choice.classList.add(number === mine ? 'me' : 'model');
    choice.classList.toggle('taken', number === place);
    choice.firstChild.textContent = number === mine ? me : 'the model';
  });
  verdict.textContent = place === mine ? 'Right.' : 'Wrong: that was the model.';
  next.textContent = at + 1 < questions.length ? 'Next' : 'How well did I do?';
  next.hidden = false;
  next.focus();
}

next.onclick = () => {
  at += 1;
  if (at < questions.length) {
    ask();
    return where.focus();
  }
  where.textContent = `You were right in ${right} of ${questions.length}.`;
  context.parentElement.hidden = true;
  choices.replaceChildren();
  verdict.textContent = verdicts[right];
  next.hidden = true;
  where.focus();
};

document.addEventListener('keydown', pressed => {
  const meant = !(pressed.ctrlKey || pressed.altKey || pressed.metaKey || pressed.repeat);
  if (meant && ['1', '2'].includes(pressed.key)) answer(Number(pressed.key) - 1);
});
ask();
"""
