"""Which lines of an environment file say nothing."""

from pathlib import Path

from dotenv.parser import parse_stream


def unread(path: Path) -> list[str]:
    """Return which lines no setting can be read from, a sentence each: they would be passed over.

    Raises:
        OSError: The file is there and cannot be read.
        UnicodeDecodeError: It is no text in UTF-8.
    """
    if not path.is_file():
        return []
    with path.open(encoding="utf-8") as file:
        lines = [binding.original.line for binding in parse_stream(file) if binding.error]
    return [f"{path}, line {line}: it is not NAME=value" for line in lines]
