"""What a training run is told: every setting, its default, and what fits it."""

import dataclasses
import difflib
import types
import typing
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from likeness.card import origin
from likeness.errors import BadSetting

OptimizerName = Literal["adamw", "muon"]
Precision = Literal["auto", "bf16", "fp32"]
Method = Literal["auto", "full", "lora"]
Switch = Literal["auto", "yes", "no"]

LEAST_RATE = 1e-9
_DAY_SECONDS = 86_400.0


def _setting(
    default: object,
    says: str,
    least: float = 0,
    most: float = float("inf"),
    **of_base: object,
) -> Any:
    """Describe a setting; `of_base` holds its default for a base that wants another."""
    metadata = {"says": says, "least": least, "most": most, "of_base": of_base}
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """Every setting of a run; `None` means "chosen for the base and the data".

    The defaults here are for a pretrained base.
    """

    context_tokens: int | None = _setting(
        None, "tokens of a row; what the base has, 1024 at the most", 16, scratch=256
    )
    batch_rows: int = _setting(
        4, "rows of one forward pass; a GPU finds how many are fastest", 1, starter=2
    )
    eval_batch_rows: int = _setting(8, "the same in evaluation", 1)
    accumulation: int = _setting(2, "forward passes of one step", 1, scratch=1, starter=1)
    optimizer: OptimizerName = _setting(
        "adamw", "or muon: for layers' matrices, where a base has read little", scratch="muon"
    )
    learning_rate: float = _setting(
        5e-5, "at its peak; ten times that for LoRA", LEAST_RATE, 1, scratch=2e-3, starter=6e-4
    )
    weight_decay: float = _setting(0.01, "of matrices; biases and norms have none", 0, 1)
    adam_epsilon: float = _setting(1e-8, "of AdamW", 1e-16, 1)
    max_norm: float = _setting(1.0, "to which gradients are clipped", 1e-6)
    epochs: float | None = _setting(
        None,
        "how often the data is seen, at the most; by its size unless given: 8, 4, or 2",
        1e-3,
        1e9,
        scratch=16.0,
        starter=4.0,
    )
    warmup_share: float = _setting(0.05, "of the steps, before the rate falls", 0, 1)
    warmup_steps: int | None = _setting(None, "instead of the share")
    dropout: float = _setting(
        0.1, "after embeddings and layers, not in attention", 0, 0.9, scratch=0.2, starter=0.05
    )
    seed: int = _setting(0, "of data order, dropout and fresh weights", 0, 2**32 - 1)
    device: str = _setting("auto", "auto, cpu, cuda, cuda:1, mps")
    precision: Precision = _setting(
        "auto", "of products: auto, bf16 or fp32; weights and sums have 32 bits anyway"
    )
    method: Method = _setting("auto", "full, lora, or auto: lora for bases larger than gpt2-medium")
    lora_rank: int = _setting(16, "of the matrices that LoRA adds to every linear layer", 1)
    lora_alpha: int = _setting(32, "by which they count, divided by the rank", 1)
    recompute: int = _setting(
        0, "1: compute layers again on the way back, for less memory and a third more time", 0, 1
    )
    shard: Switch = _setting(
        "auto", "yes or no; auto: several processes that train a large base whole part its weights"
    )
    compile: Switch = _setting("auto", "yes or no; auto: where a long run on a GPU gains by it")
    save_every: int = _setting(500, "steps between checkpoints", 1)
    eval_every: int | None = _setting(
        None, "steps between evaluations; four times an epoch unless given", 1
    )
    patience: int | None = _setting(
        4, "evaluations without a better one that end the run; none: never", 1
    )
    mask: int = _setting(
        1, "1: mail addresses, long numbers, passwords and keys are hidden; 0: they teach", 0, 1
    )
    context_weight: float = _setting(1.0, "of others' words in the loss, mine having 1", 0, 1)
    gap_seconds: float | None = _setting(
        None, "the silence that ends a conversation; found for each chat unless given", 1
    )
    reply_gap_seconds: float = _setting(
        3 * _DAY_SECONDS, "the same before a reply of mine: a slow one still answers", 1
    )
    held_out_share: float = _setting(
        0.1, "of my messages, the newest of each chat, kept for evaluation", 0, 0.9
    )
    held_out_most: int = _setting(
        1000, "of my messages, about, kept for evaluation: enough to judge, the others teach", 1
    )
    mix: int = _setting(
        1, "1: the base is mixed in again as far as held-out messages gain by it; 0: never", 0, 1
    )
    last_lesson: float = _setting(
        0.2, "share of the rate at which what was held out teaches at the very end; 0: never", 0, 1
    )
    report_replies: int = _setting(64, "held-out moments at which the report lets the model speak")
    layers: int = _setting(4, "of a model from scratch", 1, 200)
    width: int = _setting(192, "of a model from scratch, a multiple of its heads", 8)
    heads: int = _setting(6, "of a model from scratch", 1)
    vocabulary: int = _setting(1024, "tokens of a model from scratch, at the most", 300)

    def __post_init__(self) -> None:
        """Hold each value against its range.

        Raises:
            BadSetting: A value does not fit.
        """
        types_of = typing.get_type_hints(type(self))
        for setting in dataclasses.fields(self):
            value = getattr(self, setting.name)
            if isinstance(value, int | float):
                _fit(setting, value)
            elif typing.get_origin(types_of[setting.name]) is Literal:
                _choose(setting.name, value, typing.get_args(types_of[setting.name]))
        if self.width % self.heads:
            raise BadSetting(f"width={self.width} must be a multiple of heads={self.heads}.")

    @classmethod
    def from_settings(cls, settings: Iterable[str], *, base: str = "") -> "TrainConfig":
        """Read settings in the form `key=value`.

        Args:
            settings: Each a `key=value`.
            base: What is to be trained: some bases want other defaults, and a model folder of
                ours wants those of what it came from.

        Raises:
            BadSetting: One is unknown or does not fit; the sentence says what would.
        """
        types_of = typing.get_type_hints(cls)
        values = _defaults_of(base) or _defaults_of(origin(base))
        for setting in settings:
            key, sign, text = setting.partition("=")
            key = key.strip()
            if not sign:
                raise BadSetting(f"--set {setting} must have the form key=value.")
            if key not in types_of:
                raise BadSetting(_unknown(key, list(types_of)))
            values[key] = _value(key, text.strip(), types_of[key])
        return cls(**values)  # type: ignore[arg-type]  # _value made each fit its attribute

    def changed(self, *, base: str = "") -> list[str]:
        """Return the settings that are not the base's default, as `from_settings` reads them."""
        default = type(self).from_settings([], base=base)
        return [
            f"{setting.name}={getattr(self, setting.name)}"
            for setting in dataclasses.fields(self)
            if getattr(self, setting.name) != getattr(default, setting.name)
        ]


def explain() -> list[tuple[str, str]]:
    """Return each setting with its default and what it means, for `--help`."""
    return [(_with_default(setting), setting.metadata["says"]) for setting in _all_settings()]


def _with_default(setting: dataclasses.Field[Any]) -> str:
    of_base = ", ".join(f"{base}: {value}" for base, value in setting.metadata["of_base"].items())
    return f"{setting.name}={setting.default}" + (f" ({of_base})" if of_base else "")


def _all_settings() -> tuple[dataclasses.Field[Any], ...]:
    return dataclasses.fields(TrainConfig)


def _defaults_of(base: str) -> dict[str, object]:
    """Return the defaults that differ for a base, if any: one from nothing has all to learn."""
    return {
        setting.name: setting.metadata["of_base"][base]
        for setting in _all_settings()
        if base in setting.metadata["of_base"]
    }


def _value(key: str, text: str, wanted: Any) -> object:
    kinds = typing.get_args(wanted) if isinstance(wanted, types.UnionType) else (wanted,)
    if text.lower() == "none" and types.NoneType in kinds:
        return None
    kind = str if typing.get_origin(wanted) is Literal else kinds[0]
    try:
        return kind(text)
    except ValueError as error:
        said = {int: "a whole number", float: "a number"}[kind]
        or_none = " or none" if types.NoneType in kinds else ""
        raise BadSetting(f"{key}={text} does not fit: {key} takes {said}{or_none}.") from error


def _fit(setting: dataclasses.Field[Any], value: float) -> None:
    least, most = setting.metadata["least"], setting.metadata["most"]
    if not least <= value <= most or value == float("inf"):
        upper = f" to {most:g}" if most < float("inf") else " or more"
        raise BadSetting(
            f"{setting.name}={value} does not fit: {setting.name} takes {least:g}{upper}."
        )


def _choose(key: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        *others, last = choices
        raise BadSetting(f"{key}={value} does not fit: {key} takes {', '.join(others)} or {last}.")


def _unknown(key: str, keys: list[str]) -> str:
    near = difflib.get_close_matches(key, keys, n=3, cutoff=0.5)
    meant = f" Did you mean {' or '.join(near)}?" if near else ""
    return f"There is no setting {key!r}.{meant} There are: {', '.join(keys)}."
