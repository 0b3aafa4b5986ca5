"""The in-process engine: a model folder, loaded with torch and transformers."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import datetime
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, PreTrainedModel
from transformers.utils import logging as transformers_logging

from bot.engine import Sampling, Trace
from bot.engine.worker import Worker
from bot.engine.writing import Request, Writer
from likeness.card import RunCard
from likeness.dialogue import Part
from likeness.errors import ModelError
from likeness.messages import Message
from likeness.tokenizer import FolderTokenizer


class LocalEngine:
    """Writes replies in a thread of this process; a `bot.engine.ReplyEngine`."""

    def __init__(self, card: RunCard, model: PreTrainedModel, tokenizer: FolderTokenizer) -> None:
        """Take what is loaded already; the model must be in evaluation mode."""
        self.card = card
        writable = torch.zeros(model.config.get_text_config().vocab_size, dtype=torch.bool)
        writable[sorted(tokenizer.writable)] = True
        self._writer = Writer(model, tokenizer, card, writable)
        self._worker = Worker()

    @classmethod
    def open(cls, folder: Path, device: str = "auto") -> "LocalEngine":
        """Load a model folder.

        Raises:
            ModelNotFound: There is no such folder, or it holds no card.
            PromptVersionMismatch: The model was trained with another prompt format.
            ModelError: Something in the folder is broken, or there is no such device.
        """
        card = RunCard.read(folder)
        tokenizer = FolderTokenizer.load(folder)
        model = _load(folder, _device(device))
        config = model.config.get_text_config()
        positions = getattr(config, "max_position_embeddings", card.context_tokens)
        if max(tokenizer.writable) >= config.vocab_size or positions < card.context_tokens:
            raise ModelError(
                f"The tokenizer or the card in {folder} belongs to another model: train it again."
            )
        return cls(card, model, tokenizer)

    async def reply(
        self,
        messages: Sequence[Message],
        sampling: Sampling,
        *,
        now: datetime | None = None,
        opening: str = "",
        trace: Trace | None = None,
    ) -> AsyncGenerator[Part, None]:
        """Yield the messages of one turn of mine, each as soon as it is whole.

        See `bot.engine.ReplyEngine`. Equal questions with a seed get equal replies, whatever
        else is being written.

        Raises:
            ModelError: The engine is closed.
        """
        request = Request(list(messages), sampling, now, opening, trace or Trace())
        steps = self._writer.write(request)
        async with aclosing(self._worker.stream(steps)) as parts:
            async for part in parts:
                yield part

    async def close(self) -> None:
        """Stop all work; the model goes when the engine does."""
        await self._worker.close()


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ModelError(f"This machine has no device {name!r} for torch: try `auto`.") from error
    return device


def _load(folder: Path, device: torch.device) -> PreTrainedModel:
    halves = device.type == "cuda" and torch.cuda.is_bf16_supported()
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            folder,
            local_files_only=True,
            use_safetensors=True,
            output_loading_info=True,
            dtype=torch.bfloat16 if halves else torch.float32,
        )
    except Exception as error:  # the libraries raise no narrower one
        raise ModelError(
            f"The model in {folder} cannot be loaded ({type(error).__name__}): train it again."
        ) from error
    model: PreTrainedModel = loaded[0]
    found = loaded[1]
    if found["missing_keys"] or found["mismatched_keys"]:
        raise ModelError(f"The model in {folder} lacks weights: train it again.")
    model.to(device).eval()  # type: ignore[arg-type]
    return model
