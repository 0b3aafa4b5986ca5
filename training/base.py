"""The base of a run: a causal language model with a tokenizer that knows the tags."""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tokenizers
import torch
from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    GenerationConfig,
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)
from transformers.utils import logging as transformers_logging

from likeness.card import FILE_NAME, RUNS
from likeness.dialogue import START
from likeness.errors import BadSetting, BaseUnavailable
from likeness.tokenizer import FolderTokenizer, newline_id
from training.adapter import plain
from training.config import TrainConfig
from training.memory import fitting
from training.vocabulary import add_tags, byte_level_bpe, grow

SCRATCH = "scratch"
STARTER = "starter"
STARTER_FOLDER = Path(__file__).parent / STARTER
_MOST_CONTEXT_TOKENS = 1024
_SCRATCH_CONTEXT_TOKENS = 512
_DROPOUTS = (
    "resid_pdrop", "embd_pdrop", "resid_dropout", "embed_dropout", "hidden_dropout", "dropout",
)  # fmt: skip
_PROCESSOR = torch.device("cpu")
_DAMAGED = (
    OSError, ValueError, KeyError, TypeError, AttributeError, ImportError, RuntimeError,
    SafetensorError, StrictDataclassError,
)  # fmt: skip
_ATTENTION_DROPOUTS = ("attn_pdrop", "attention_dropout")


@dataclass(frozen=True, slots=True)
class Base:
    """A model and its tokenizer, ready for the prompt.

    Attributes:
        name: What it was asked for by.
        model: Its weights in 32 bits.
        tokenizer: As transformers knows it.
        context_tokens: How long a row may be.
    """

    name: str
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerFast
    context_tokens: int

    @property
    def tags(self) -> FolderTokenizer:
        """The tokenizer as the prompt needs it, just as the bot will read it from the folder."""
        text = self.tokenizer.backend_tokenizer.to_str()
        return FolderTokenizer(tokenizers.Tokenizer.from_str(text))

    @property
    def description(self) -> str:
        """What it is, for people."""
        millions = self.model.num_parameters() / 1e6
        return (
            f"{self.name}: {millions:.1f} M weights, {len(self.tokenizer):,} tokens, "
            f"rows of {self.context_tokens}"
        )

    def save(self, folder: Path, weights: dict[str, torch.Tensor] | None = None) -> None:
        """Write a folder that transformers loads by itself.

        Args:
            folder: Where.
            weights: Instead of the model's, if it does not hold all of them.
        """
        plain(self.model).save_pretrained(folder, state_dict=weights)
        self.tokenizer.save_pretrained(folder)


def open_base(name: str, config: TrainConfig, texts: Callable[[], Iterable[str]]) -> Base:
    """Load a base, or make one, and give it the tags.

    Args:
        name: A model's name on the hub, a local folder, `starter` or `scratch`.
        config: The run's settings.
        texts: Gives what a tokenizer from scratch is made from.

    Raises:
        BaseUnavailable: It cannot be loaded, or is no causal model with a fast tokenizer.
        BadSetting: It has fewer positions than `context_tokens` asks for.
        TrainingError: The memory does not hold it.
    """
    if name == SCRATCH:
        return fresh_base(name, config, byte_level_bpe(texts(), config.vocabulary))
    model, tokenizer = _load(str(STARTER_FOLDER) if name == STARTER else name, config)
    grow(model, add_tags(tokenizer), len(tokenizer))
    return _ready(name, config, model, tokenizer)


def fresh_base(name: str, config: TrainConfig, tokenizer: PreTrainedTokenizerFast) -> Base:
    """Make a base from nothing, of the shape that the settings say.

    Args:
        name: What to call it.
        config: The run's settings.
        tokenizer: What it reads with; it is given the tags.
    """
    add_tags(tokenizer)
    start = tokenizer.backend_tokenizer.token_to_id(START)
    torch.manual_seed(config.seed)
    shape = GPT2Config(
        vocab_size=len(tokenizer),
        n_positions=config.context_tokens or _SCRATCH_CONTEXT_TOKENS,
        n_embd=config.width,
        n_layer=config.layers,
        n_head=config.heads,
        bos_token_id=start,
        eos_token_id=start,
    )
    with fitting(_PROCESSOR):
        model = GPT2LMHeadModel(_with_dropout(shape, config.dropout))
    return _ready(name, config, model, tokenizer)


def _ready(
    name: str, config: TrainConfig, model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast
) -> Base:
    _say_how_to_generate(model, tokenizer)
    return Base(name, model, tokenizer, _context_tokens(name, model, config))


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers and the hub from drawing bars and warning of what is meant so."""
    hub = logging.getLogger("huggingface_hub")
    before = transformers_logging.get_verbosity(), hub.level
    bars = transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    hub.setLevel(logging.ERROR)
    try:
        yield
    finally:
        transformers_logging.set_verbosity(before[0])
        hub.setLevel(before[1])
        if bars:
            transformers_logging.enable_progress_bar()  # type: ignore[no-untyped-call]


def _load(name: str, config: TrainConfig) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    try:
        with fitting(_PROCESSOR):
            shape = _with_dropout(AutoConfig.from_pretrained(name), config.dropout)
            tokenizer = AutoTokenizer.from_pretrained(name)
            model = AutoModelForCausalLM.from_pretrained(name, config=shape, dtype=torch.float32)
    except _DAMAGED as error:
        raise BaseUnavailable(_why(name)) from error
    if not isinstance(tokenizer, PreTrainedTokenizerFast):
        raise BaseUnavailable(
            f"The tokenizer of {name} is not a fast one (tokenizer.json): take another base."
        )
    # It may have been saved with both, and would cut and fill up what it reads.
    tokenizer.backend_tokenizer.no_truncation()
    tokenizer.backend_tokenizer.no_padding()
    # It tells another form than our prompt; several of them would be saved as a folder.
    tokenizer.chat_template = None
    return model, tokenizer


def _why(name: str) -> str:
    if Path(name).is_dir():
        return (
            f"The folder {name} holds no causal language model with a tokenizer that transformers "
            "loads: take a model's name from the hub, or `--base starter`."
        )
    if name.startswith((".", "/", "~")):
        return f"There is no folder {name}: give `--base` one with a model, or `--base starter`."
    run = RUNS / name
    meant = f" Did you mean `--base {run}`?" if (run / FILE_NAME).is_file() else ""
    return (
        f"The model {name} cannot be loaded from the hub (unknown there, or the hub is out of "
        "reach): give `--base` a local folder with a model, or take `--base starter`, the small "
        f"one that comes with Likeness.{meant}"
    )


def _with_dropout(shape: Any, dropout: float) -> Any:
    """Set dropout where a config has it; none in attention, where it forbids the fast kernels."""
    for name in _DROPOUTS:
        if hasattr(shape, name):
            setattr(shape, name, dropout)
    for name in _ATTENTION_DROPOUTS:
        if hasattr(shape, name):
            setattr(shape, name, 0.0)
    return shape


def _say_how_to_generate(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast) -> None:
    start = tokenizer.convert_tokens_to_ids(START)
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = START
    newline = newline_id(tokenizer.backend_tokenizer)
    # Padding with START would have `generate` hide a prompt's own START where no mask is given.
    model.generation_config = GenerationConfig(  # type: ignore[no-untyped-call]
        bos_token_id=start,
        eos_token_id=newline,
        pad_token_id=newline,
        do_sample=True,
        top_p=0.9,
    )


def _context_tokens(name: str, model: PreTrainedModel, config: TrainConfig) -> int:
    positions = getattr(model.config, "max_position_embeddings", None)
    if config.context_tokens is None:
        return min(positions or _MOST_CONTEXT_TOKENS, _MOST_CONTEXT_TOKENS)
    if positions is not None and config.context_tokens > positions:
        raise BadSetting(
            f"context_tokens={config.context_tokens} does not fit: {name} has room for {positions}."
        )
    return config.context_tokens
