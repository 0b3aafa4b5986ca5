"""likeness.json: what a model folder says of itself."""

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from likeness.dialogue import PROMPT_VERSION
from likeness.errors import BadCard, ModelNotFound, PromptVersionMismatch
from likeness.files import whole_file

FILE_NAME = "likeness.json"
OTHERS = "others"
"""Under which name its `data` says how many numbers are in `others.bin`: `likeness.quotes`."""
RUNS = Path("runs")
"""Where a run lies that has but a name."""
VERSION = 1
NAMELESS = "a person"
"""What whoever has but a blank name is called."""


@dataclass(frozen=True, slots=True)
class RunCard:
    """What training leaves for whoever uses the model.

    Attributes:
        name: The run.
        me: The name of the person that the model plays.
        base: What it was trained from: a model name, a folder, or `scratch`.
        origin: What the first of all its bases was, where one was trained from another.
        context_tokens: How many tokens a prompt and its reply may have together.
        gap_seconds: The silence that ended a conversation in training: the usual one of its chats.
        reply_gap_seconds: The same before a reply of mine; as `gap_seconds` if None.
        settings: The training settings, as `TrainConfig` says them.
        data: The file's SHA-256 and its counts.
        metrics: Held-out figures before and after training.
        sampling: The temperature, the top-p and the min-p with which the model writes most as I
            do, if tuned.
        foresight: How to take what the model predicts: for `finished` and `my_turn` the slope and
            the intercept of their `Calibration`; under `silences` the seconds that usually pass
            before I answer, by silence tag, "" being none.
        versions: Of Likeness and the libraries that trained it.
        prompt: The version of the prompt format.
        v: The version of this card.
    """

    name: str
    me: str
    base: str
    context_tokens: int
    gap_seconds: float
    reply_gap_seconds: float | None = None
    origin: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    sampling: dict[str, float] = field(default_factory=dict)
    foresight: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    prompt: int = PROMPT_VERSION
    v: int = VERSION

    def __post_init__(self) -> None:
        """Call whoever has but a blank name something."""
        if not (self.me and self.me.strip()):
            object.__setattr__(self, "me", NAMELESS)

    @property
    def masking(self) -> bool:
        """Whether it learned from messages in which what a stranger could use was hidden."""
        return bool(self.settings.get("mask"))

    def write(self, folder: Path) -> None:
        """Write the card into a model folder, whole or not at all."""
        with whole_file(folder / FILE_NAME) as file:
            json.dump(dataclasses.asdict(self), file, indent=2, ensure_ascii=False)
            file.write("\n")

    @classmethod
    def read(cls, folder: Path) -> "RunCard":
        """Read the card of a model folder.

        Raises:
            ModelNotFound: There is no such folder, or it holds no card.
            BadCard: What stands there is not a card, or a newer one.
            PromptVersionMismatch: The model was trained with another prompt format.
        """
        path = folder / FILE_NAME
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise ModelNotFound(_where_to_look(folder)) from error
        except OSError as error:
            raise BadCard(f"{path} cannot be read: {error.strerror}.") from error
        except ValueError as error:
            raise BadCard(f"{path} cannot be read as JSON: train the model again.") from error
        return _card(path, found)


def told_of_others(folder: Path) -> int:
    """Return how many numbers the card of a folder says are in its `others.bin`.

    Returns:
        0 where there is no card, or it does not say: the model is older, or knows nobody's words.
    """
    try:
        return int(_said_by(folder)["data"].get(OTHERS, 0))
    except (ValueError, KeyError, AttributeError, TypeError):
        return 0


def origin(base: str) -> str:
    """Return what a base came from first: itself, but for a model folder whose card tells."""
    found = _said_by(Path(base))
    return str(found.get("origin") or found.get("base", base))


def _said_by(folder: Path) -> dict[str, Any]:
    """Return what a folder's card says, if it says anything.

    Not by `read`: a model of an earlier prompt is a base as good as any.
    """
    try:
        found = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _card(path: Path, found: Any) -> RunCard:
    if not isinstance(found, dict) or not isinstance(found.get("prompt"), int):
        raise BadCard(f"{path} is not the card of a Likeness model: train the model again.")
    if found.get("v", VERSION) != VERSION:
        raise BadCard(
            f"{path} has version {found['v']} of the card, this Likeness reads {VERSION}: use "
            "the Likeness that the model came from, or train it again."
        )
    if found["prompt"] != PROMPT_VERSION:
        raise PromptVersionMismatch(
            f"{path.parent} was trained with prompt version {found['prompt']}, this Likeness "
            f"speaks version {PROMPT_VERSION}: train it again, or use the Likeness it came from."
        )
    names = {attribute.name for attribute in dataclasses.fields(RunCard)}
    try:
        card = RunCard(**{key: value for key, value in found.items() if key in names})
    except TypeError as error:
        raise BadCard(f"{path} lacks a part of the card: train the model again.") from error
    if not _has_numbers(card):
        raise BadCard(f"{path} holds no numbers where they belong: train the model again.")
    return card


def _has_numbers(card: RunCard) -> bool:
    """Tell whether what a reply is computed with are numbers."""
    if not isinstance(card.context_tokens, int) or not isinstance(card.sampling, dict):
        return False
    others = (card.gap_seconds, card.reply_gap_seconds or 0, *card.sampling.values())
    return all(isinstance(number, int | float) for number in others)


def _where_to_look(folder: Path) -> str:
    runs = sorted(path.parent.name for path in folder.parent.glob(f"*/{FILE_NAME}"))
    known = f" These exist: {', '.join(runs)}." if runs else ""
    return f"There is no model in {folder}.{known} Train one with `likeness train`."
