"""How many cases a property is tried with."""

from hypothesis import settings

_USUAL = 100
"""Of a profile that says nothing of it."""


def examples(most: int) -> int:
    """Return `most`; in `make check`, whose profile asks for few, no more than it says."""
    asked = settings.get_current_profile_name()
    few = settings.get_profile(asked).max_examples
    return min(most, few) if few < _USUAL else most
