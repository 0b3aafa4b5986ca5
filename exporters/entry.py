"""What stands under a key of an entry of a foreign JSON file, or why that cannot be read."""

from decimal import Decimal
from typing import Any

_MOST = 10**19


class Unreadable(Exception):
    """An entry that is not what the app writes; the text says why, never what it holds."""


def as_object(entry: Any) -> dict[str, Any]:
    """Return an entry that is an object.

    Raises:
        Unreadable: It is none.
    """
    if not isinstance(entry, dict):
        raise Unreadable("it is not an object")
    return entry


def part(entry: dict[str, Any], key: str) -> dict[str, Any]:
    """Return the object under a key, empty where there is none.

    Raises:
        Unreadable: Something else stands there.
    """
    value = entry.get(key)
    if value is not None and not isinstance(value, dict):
        raise Unreadable(f'its "{key}" is not an object')
    return value or {}


def string(entry: dict[str, Any], key: str) -> str:
    """Return the string under a key, empty where there is none.

    Raises:
        Unreadable: Something else stands there.
    """
    value = entry.get(key)
    if value is not None and not isinstance(value, str):
        raise Unreadable(f'its "{key}" is not a string')
    return value or ""


def needed(entry: dict[str, Any], key: str) -> str:
    """Return the string under a key.

    Raises:
        Unreadable: There is none, or an empty one.
    """
    value = string(entry, key)
    if not value:
        raise Unreadable(f'it has no "{key}"')
    return value


def name_or_number(entry: dict[str, Any], key: str) -> str:
    """Return what names something under a key, a string or a whole number, empty for nothing.

    Raises:
        Unreadable: Something else stands there.
    """
    value = entry.get(key)
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if is_number else string(entry, key)


def number(entry: dict[str, Any], key: str) -> int:
    """Return the whole number under a key, written as a number or as digits.

    Raises:
        Unreadable: Something else stands there, or nothing.
    """
    found = whole_number(entry.get(key))
    if found is None:
        raise Unreadable(f'its "{key}" is not a number')
    return found


def whole_number(value: object) -> int | None:
    """Return an integer that a file wrote as a number or as digits, None for anything else."""
    if isinstance(value, str):
        digits = value.removeprefix("-")
        return int(value) if digits.isdecimal() and len(digits) < 20 else None
    if isinstance(value, Decimal) and abs(value) < _MOST and value == int(value):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
