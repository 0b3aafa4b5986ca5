"""Why a program that was measured ended before its time."""


def last_words(said: str, code: int) -> str:
    """Return the last line of what it said on standard error, or, if it said none, its code."""
    return said.strip().rpartition("\n")[2] or f"exit code {code}"
