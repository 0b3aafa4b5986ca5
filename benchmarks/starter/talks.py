"""The invented talks beside this file: small talk of friends, families, colleagues and strangers.

A blank line parts them; a line is `Name: text`, or a silence such as `(4 min)`.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

FOLDER = Path(__file__).parent / "talks"
_BEGINNING = datetime(2020, 1, 1, 12, tzinfo=UTC)
_BETWEEN_MESSAGES = timedelta(seconds=20)
_LINE = re.compile(r"(?P<speaker>[^:()]{1,30}): (?P<text>.+)")
_SILENCE = re.compile(r"\((?P<minutes>\d{1,2}) min\)")


def talks(path: Path) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Yield the talks of a file, each with its name, in the file's order.

    Raises:
        ValueError: A line is neither a message nor a silence; it says which.
    """
    talk: list[dict[str, str]] = []
    count, now = 0, _BEGINNING
    for number, line in enumerate([*path.read_text("utf-8").splitlines(), ""], start=1):
        if silence := _SILENCE.fullmatch(line):
            now += timedelta(minutes=int(silence["minutes"]))
        elif said := _LINE.fullmatch(line):
            talk.append({**said.groupdict(), "time": f"{now:%H:%M}"})
            now += _BETWEEN_MESSAGES
        elif line.strip():
            raise ValueError(f"{path.name}, line {number}: neither a message nor a silence.")
        elif talk:
            yield f"{path.stem}/{count}", talk
            talk, count, now = [], count + 1, _BEGINNING
