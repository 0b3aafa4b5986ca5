"""What the model says at moments at which I spoke, on messages it never learnt from."""

from collections.abc import Sequence

import torch
from transformers import PreTrainedModel

from likeness.dialogue import END_OF_TURN, ReplyReader, Tokenizer, prompt
from training.loss import asked
from training.memory import fewer_rows
from training.moments import Moment

_AT_ONCE = 16
_MOST_NEW_TOKENS = 80


def answers(
    model: PreTrainedModel,
    tokenizer: Tokenizer,
    moments: Sequence[Moment],
    context_tokens: int,
    seed: int,
) -> list[list[str]]:
    """Let the model speak at each moment, from the prompt that the bot would ask with.

    The random state stays as it was.

    Returns:
        For each moment the texts of the messages that the model would send.
    """
    new_tokens = min(_MOST_NEW_TOKENS, context_tokens // 4)
    prompts = [
        prompt(moment.context, tokenizer, context_tokens - new_tokens, now=moment.mine[0].sent_at)
        for moment in moments
    ]

    def all_of_them(at_once: int) -> list[list[str]]:
        torch.manual_seed(seed)
        return [
            _read(ids, tokenizer)
            for start in range(0, len(prompts), at_once)
            for ids in _generate(model, tokenizer, prompts[start : start + at_once], new_tokens)
        ]

    # Unless told which, it opens every GPU that there is.
    own = {"cpu": [], "cuda": [model.device]}.get(model.device.type)
    with torch.random.fork_rng(own), asked(model):
        written, _ = fewer_rows(all_of_them, _AT_ONCE)
    return written


def _generate(
    model: PreTrainedModel, tokenizer: Tokenizer, prompts: list[list[int]], new_tokens: int
) -> list[list[int]]:
    """Return what the model writes after each prompt; the prompts are padded in front."""
    width = max(map(len, prompts))
    padding = tokenizer.tag(END_OF_TURN)
    ids = torch.tensor([[padding] * (width - len(one)) + one for one in prompts])
    mask = torch.tensor([[0] * (width - len(one)) + [1] * len(one) for one in prompts])
    written = model.generate(  # type: ignore[operator]  # transformers types it as a tensor
        input_ids=ids.to(model.device),
        attention_mask=mask.to(model.device),
        max_new_tokens=new_tokens,
    )
    found: list[list[int]] = written[:, width:].tolist()
    return found


def _read(ids: list[int], tokenizer: Tokenizer) -> list[str]:
    reader = ReplyReader(tokenizer)
    parts = [reader.read(id_) for id_ in ids if not reader.ended]
    if not reader.ended:
        parts.append(reader.finish())
    return [part.text for part in parts if part]
