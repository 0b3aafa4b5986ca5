"""What tests of every part share: paths, and messages invented in one line."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import settings

from likeness.messages import Message

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"  # more threads of tiny products only wait for each other

# A slow machine is no failure; and what fails in one run shall fail in the next.
settings.register_profile("likeness", deadline=None, derandomize="CI" in os.environ)
settings.register_profile("quick", settings.get_profile("likeness"), max_examples=12)
settings.load_profile("likeness")

REPOSITORY = Path(__file__).parent.parent
SHARED = REPOSITORY.parent / "shared"
BEGINNING = datetime(2024, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of third-party exports and corpora; skip the test where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("the third-party exports and corpora are not beside this checkout")
    return SHARED


Say = Callable[..., Message]


@pytest.fixture
def say() -> Say:
    """Return a function that invents the next message of one chat, seconds after the last."""
    moment, number = BEGINNING, 0

    def say(speaker: str, text: str, after: float = 5, **other: object) -> Message:
        nonlocal moment, number
        moment, number = moment + timedelta(seconds=after), number + 1
        fields = {
            "platform": "test",
            "chat_id": "1",
            "chat": "Ann",
            "id": str(number),
            "speaker_id": speaker,
            "speaker": speaker,
            "outgoing": speaker == "me",
            "sent_at": moment,
            "text": text,
        }
        return Message(**(fields | other))  # type: ignore[arg-type]

    return say
