"""messages.jsonl to windows that train and windows held out, and the account of both."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from likeness.dialogue import Encoded, Tokenizer, Turn, encode_turns
from likeness.errors import NothingToLearn
from likeness.messages import Message
from training.config import TrainConfig
from training.portions import Portion, portions
from training.rows import Windows, WindowsBuilder
from training.survey import Balance, Survey, is_target
from training.windows import JUDGING_SHARE, Lost, Place, shorten, windows


@dataclass(frozen=True, slots=True)
class Corpus:
    """What a run learns from and is judged by.

    Attributes:
        train: The windows that teach.
        held_out: The windows that only judge: the newest messages of each chat.
        held_out_characters: How many characters my held-out messages have, what was cut off
            not counted.
        balance: Where my messages went.
    """

    train: Windows
    held_out: Windows
    held_out_characters: int
    balance: Balance


@dataclass(slots=True)
class _Builder:
    """Encodes portions one by one, and keeps count."""

    tokenizer: Tokenizer
    context_tokens: int
    context_weight: float
    train: WindowsBuilder
    held_out: WindowsBuilder
    targets: int = 0
    held_out_targets: int = 0
    held_out_characters: int = 0
    lost: Lost = field(default_factory=Lost)

    def add(self, portion: Portion) -> None:
        """Make windows of what a portion teaches, and of what it holds out."""
        known, of_known = self._turns(portion.messages[: portion.new_from])
        taught, lost = self._turns(portion.taught)
        if portion.held_out_from < len(portion.messages):
            turns, in_all = self._turns(portion.messages)
            self.held_out_characters -= (in_all - lost).characters
            lost = in_all
            begin = _end_of(taught, turns)
            if begin.token:
                taught[-1] = _unended(taught[-1])
            for window in windows(turns, self.tokenizer, self.context_tokens, begin, JUDGING_SHARE):
                self.held_out.add(window)
        for window in windows(taught, self.tokenizer, self.context_tokens, Place(len(known))):
            self.train.add(window)
        kept = [
            message for message in portion.messages[portion.held_out_from :] if is_target(message)
        ]
        self.targets += sum(map(is_target, portion.taught[portion.new_from :]))
        self.held_out_targets += len(kept)
        self.held_out_characters += sum(len(message.text) for message in kept)
        self.lost += lost - of_known

    def _turns(self, messages: Sequence[Message]) -> tuple[list[Turn], Lost]:
        turns: list[Turn] = []
        lost = Lost()
        for whole in encode_turns(messages, self.tokenizer, self.context_weight):
            turn, of_turn = shorten(whole, self.tokenizer, self.context_tokens)
            turns.append(turn)
            lost += of_turn
        return turns, lost


def build_corpus(
    path: Path,
    found: Survey,
    config: TrainConfig,
    tokenizer: Tokenizer,
    context_tokens: int,
    new_windows: Callable[[], WindowsBuilder] = WindowsBuilder,
) -> Corpus:
    """Encode a file, holding one conversation in memory at a time.

    Args:
        path: A `messages.jsonl`.
        found: Its survey.
        config: How to split it and what to weigh.
        tokenizer: Of the model.
        context_tokens: The longest window.
        new_windows: Makes what collects windows.

    Raises:
        NothingToLearn: All that teaches is held out.
        MessagesError: The file cannot be read.
        TrainingError: The disk does not take the tokens.
    """
    builder = _Builder(
        tokenizer, context_tokens, config.context_weight, new_windows(), new_windows()
    )
    for portion in portions(path, found, config):
        builder.add(portion)
    if not builder.targets:
        raise NothingToLearn(f"{path}: all that teaches is held out: lower held_out_share.")
    balance = Balance(
        messages=found.messages,
        mine=found.names.total(),
        train=builder.targets,
        held_out=builder.held_out_targets,
        left_out=dict(found.left_out),
        shortened=builder.lost.targets,
        masked=found.masked,
    )
    return Corpus(
        builder.train.windows(), builder.held_out.windows(), builder.held_out_characters, balance
    )


def build_held_out(
    path: Path, found: Survey, config: TrainConfig, tokenizer: Tokenizer, context_tokens: int
) -> Windows:
    """Encode only the windows of `build_corpus` that judge.

    Raises:
        MessagesError: The file cannot be read.
    """
    builder = _Builder(
        tokenizer, context_tokens, config.context_weight, WindowsBuilder(), WindowsBuilder()
    )
    for portion in portions(path, found, config):
        if portion.held_out_from < len(portion.messages):
            builder.add(portion)
    return builder.held_out.windows()


def _end_of(taught: list[Turn], turns: list[Turn]) -> Place:
    """Return where the beginning of a conversation, encoded by itself, ends in the whole."""
    if not taught:
        return Place()
    last = len(taught) - 1
    seen = len(taught[last].body.ids)
    burst_goes_on = len(turns[last].body.ids) > seen
    return Place(last, seen - 1) if burst_goes_on else Place(last + 1)


def _unended(turn: Turn) -> Turn:
    """Take the weight from a newline that stands where in truth a burst went on."""
    return replace(turn, body=Encoded(turn.body.ids, [*turn.body.weights[:-1], 0.0]))
