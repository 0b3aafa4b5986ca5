"""The model folder in, replies out: what every engine promises."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

from bot.engine.unsaid import NOTHING_UNSAID, Unsaid
from likeness.card import RunCard
from likeness.dialogue import Part
from likeness.messages import Message


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a reply's tokens are chosen.

    Attributes:
        temperature: Flattens (> 1) or sharpens (< 1) the distribution; 0 takes the likeliest.
        top_k: Choose among this many likeliest tokens; 0 for all.
        top_p: Choose among the likeliest tokens that together have this probability; 1 for all.
        min_p: Choose among the tokens at least this often as likely as the likeliest; 0 for all.
        typical_p: Choose among the tokens whose surprise is closest to the expected one and which
            together have this probability; 1 for all.
        best_of: So many replies are written at once, and the one that fits the chat best is said;
            with more than one it is said only when all are whole.
        novelty: How much less a reply fits for being likely after any chat; for `best_of`.
        max_new_tokens: The reply's length at the most.
        max_seconds: How long may be written on a reply; it ends where it is then.
        seed: Makes a reply repeatable; None for a new one each time.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 0.9
    min_p: float = 0.0
    typical_p: float = 1.0
    best_of: int = 1
    novelty: float = 1.0
    max_new_tokens: int = 80
    max_seconds: float = 60.0
    seed: int | None = None

    def at(self, place: int) -> "Sampling":
        """Return it for the reply at some place of a conversation: with a seed of its own."""
        return self if self.seed is None else replace(self, seed=self.seed + place)


@dataclass(slots=True)
class Trace:
    """What really went into the model and came out, for `--verbose`; filled by the engine."""

    prompt: str = ""
    output: str = ""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a model expects of a chat beside words, set right by what came true when held out.

    Attributes:
        finished: How likely whoever spoke last has nothing to add.
        my_turn: How likely it is I who speak next.
        silence_seconds: After how long I would answer, typically.
    """

    finished: float
    my_turn: float
    silence_seconds: float


class ReplyEngine(Protocol):
    """Writes what I would say next. Many chats may ask at once."""

    card: RunCard

    def reply(
        self,
        messages: Sequence[Message],
        sampling: Sampling,
        *,
        now: datetime | None = None,
        opening: str = "",
        trace: Trace | None = None,
    ) -> AsyncGenerator[Part, None]:
        """Yield the messages of one turn of mine, each as soon as it is whole.

        Never blocks the event loop. Closing the iterator stops the work within a token.

        Args:
            messages: The chat so far, in order; `outgoing` is the bot's own. The engine takes the
                newest conversation (by the card's `gap_seconds`) and as many whole turns as fit.
            sampling: How to choose.
            now: When the answer is given, if that is not at once.
            opening: Words of the reply that are given; the first part begins with them.
            trace: Filled with the exact prompt and output.
        """

    async def outlook(
        self, messages: Sequence[Message], sampling: Sampling, *, now: datetime | None = None
    ) -> Outlook | None:
        """Tell what the model expects of a chat; what it reads for that serves the next reply.

        Args:
            messages: The chat so far, in order.
            sampling: As for the reply that may follow.
            now: The present, if it is not that of the last message.

        Returns:
            None where there is nothing to go by, or the engine cannot tell.
        """

    async def close(self) -> None:
        """Stop all work, and take no more."""


def open_engine(folder: Path, device: str = "auto", unsaid: Unsaid = NOTHING_UNSAID) -> ReplyEngine:
    """Load a model folder into this process.

    On the processor the compiled kernel computes it, without torch; where that cannot be, because
    there is no compiler or the model is none that it knows, torch and transformers do.

    Args:
        folder: What training left.
        device: `cpu`, `cuda`, …; `auto` takes a GPU where there is one.
        unsaid: What its owner wants never said.

    Raises:
        ModelNotFound: There is no such folder, or it holds no card.
        PromptVersionMismatch: The model was trained with another prompt format.
        ModelError: Something in the folder is broken, or there is no such device.
    """
    from bot.engine.opening import open_local  # noqa: PLC0415 (imports this module)

    return open_local(folder, device, unsaid)


def open_remote(
    folder: Path, url: str, key: str | None = None, unsaid: Unsaid = NOTHING_UNSAID
) -> ReplyEngine:
    """Let a server compute the model of a folder, through OpenAI's completions interface.

    Args:
        folder: What training left; its weights are not needed here.
        url: Where the server is, such as `http://localhost:8000/v1`.
        key: What it asks for, if it does.
        unsaid: What its owner wants never said.

    Raises:
        ModelNotFound: There is no such folder, or it holds no card.
        PromptVersionMismatch: The model was trained with another prompt format.
        BadCard: The card or the tokenizer is broken.
    """
    from bot.engine.guard import Guard  # noqa: PLC0415 (only to load a model)
    from bot.engine.remote import RemoteEngine  # noqa: PLC0415 (loads aiohttp)
    from likeness.tokenizer import FolderTokenizer  # noqa: PLC0415 (only to load a model)

    card, tokenizer = RunCard.read(folder), FolderTokenizer.load(folder)
    return RemoteEngine(card, tokenizer, url, key, guard=Guard.load(folder, unsaid))
