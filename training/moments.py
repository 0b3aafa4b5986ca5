"""Moments at which I spoke, on messages that the model never learnt from."""

import json
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from likeness.errors import MessagesError, ModelNotFound
from likeness.files import whole_file
from likeness.messages import Message
from training.portions import Portion
from training.survey import is_target

FILE_NAME = "moments.jsonl"
WORDS = "words.txt"
_KEPT_CONTEXT = 100


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment at which I spoke.

    Attributes:
        context: The conversation until then.
        mine: What I said, message by message.
    """

    context: list[Message]
    mine: list[Message]


def draw_moments(portions: Iterable[Portion], most: int, seed: int) -> list[Moment]:
    """Return some of the held-out moments, each as likely as any other, in the file's order.

    Source: reservoir sampling, Vitter's algorithm R (1985).
    """
    dice = random.Random(seed)  # noqa: S311 - which examples are shown is no secret
    drawn: dict[int, Moment] = {}
    moments = (moment for portion in portions for moment in _moments(portion))
    for number, moment in enumerate(moments):
        if number < most:
            drawn[number] = moment
        elif dice.randrange(number + 1) < most:
            drawn.pop(dice.choice(list(drawn)))
            drawn[number] = moment
    return list(drawn.values())


def _moments(portion: Portion) -> Iterator[Moment]:
    messages = portion.messages
    for place in range(max(1, portion.held_out_from), len(messages)):
        context = messages[:place]
        if not is_target(messages[place]) or context[-1].outgoing:
            continue
        if any(message.shown for message in context):
            burst = takewhile(lambda message: bool(message.outgoing), messages[place:])
            # What I passed on within it, somebody else wrote.
            yield Moment(context, list(filter(is_target, burst)))


def keep_moments(run: Path, moments: Sequence[Moment]) -> None:
    """Write moments into a run's folder, the newest messages of each, for `likeness tune`.

    They are people's words, and only their owner may read the file.

    Raises:
        LikenessError: The disk does not take it.
    """
    with whole_file(run / FILE_NAME) as file:
        for moment in moments:
            line = {
                "context": [message.to_json() for message in moment.context[-_KEPT_CONTEXT:]],
                "mine": [message.to_json() for message in moment.mine],
            }
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def read_moments(run: Path) -> list[Moment]:
    """Read the moments of a run's folder.

    Raises:
        ModelNotFound: There is no such file, it may not be read, or it is damaged.
    """
    try:
        # Not by `splitlines`: words may hold characters that it takes for the end of a line.
        lines = (run / FILE_NAME).read_text(encoding="utf-8").split("\n")
        return [_moment(json.loads(line)) for line in lines if line]
    except PermissionError as error:
        raise ModelNotFound(f"{run / FILE_NAME} cannot be read: {error.strerror}.") from error
    except (OSError, ValueError, KeyError, TypeError, MessagesError) as error:
        raise ModelNotFound(
            f"{run / FILE_NAME} is missing or damaged, and it is what replies are held against: "
            "train again."
        ) from error


def keep_words(run: Path, words: Iterable[str]) -> None:
    """Write all words that taught, one a line, into a run's folder, for `likeness tune`.

    Only their owner may read the file.

    Raises:
        LikenessError: The disk does not take it.
    """
    with whole_file(run / WORDS) as file:
        file.writelines(f"{word}\n" for word in sorted(words))


def read_words(run: Path) -> frozenset[str] | None:
    """Read the words that taught a run; None where it kept none, as it once did."""
    try:
        return frozenset((run / WORDS).read_text(encoding="utf-8").split())
    except (OSError, ValueError):
        return None


def _moment(values: dict[str, list[str]]) -> Moment:
    context, mine = (list(map(Message.from_json, values[key])) for key in ("context", "mine"))
    if not context or not mine:
        raise ValueError("nothing was said before, or in reply")
    return Moment(context, mine)
