"""What an examination found: one thing that was looked at, how it is, and what to do about it."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "note", "fault"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        subject: What.
        state: `ok`; `note` for what works but should be known; `fault` for what keeps the bot from
            working.
        says: How it is, and where to click or what to type if it must be mended.
    """

    subject: str
    state: State
    says: str
