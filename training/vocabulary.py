"""The tags of the prompt added to a base: to its tokenizer, and as rows of its embeddings."""

import re
from collections.abc import Iterable

import tokenizers
import torch
from tokenizers import decoders, models, pre_tokenizers, trainers
from torch import nn
from transformers import AddedToken, PreTrainedModel, PreTrainedTokenizerFast

from likeness.dialogue import END_OF_TURN, START, TAGS
from likeness.tokenizer import newline_id

_UNBROKEN = re.compile(r"\S{1000}")


def byte_level_bpe(texts: Iterable[str], most_tokens: int) -> PreTrainedTokenizerFast:
    """Make a tokenizer of GPT-2's kind from texts; every text of any script can be encoded."""
    made = tokenizers.Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.train_from_iterator(
        map(_broken, texts),
        trainers.BpeTrainer(
            vocab_size=most_tokens,
            min_frequency=2,
            special_tokens=[START],
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        ),
    )
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=made, bos_token=START, eos_token=START
    )


def _broken(text: str) -> str:
    """Break what has no blank for a thousand characters: merging takes the square of its length."""
    return _UNBROKEN.sub(r"\g<0> ", text)


def add_tags(tokenizer: PreTrainedTokenizerFast) -> dict[int, list[int]]:
    """Add what the prompt needs and a tokenizer lacks.

    Returns:
        Each new token's id with the ids of the tokens that it stands for: those its name had been
        until now, or the base's own end of text for START; none for a newline.
    """
    backend = tokenizer.backend_tokenizer
    missing = [tag for tag in (START, *TAGS) if backend.token_to_id(tag) is None]
    pieces = {tag: backend.encode(tag, add_special_tokens=False).ids for tag in missing}
    ends = [id_ for id_ in (tokenizer.eos_token_id, tokenizer.bos_token_id) if id_ is not None]
    if START in pieces and ends:
        pieces[START] = ends[:1]
    if newline_id(backend) is None:
        pieces[END_OF_TURN] = []
    tokenizer.add_tokens(
        [AddedToken(tag, special=tag != END_OF_TURN, normalized=False) for tag in pieces],
        special_tokens=False,
    )
    return {
        id_: known for tag, known in pieces.items() if (id_ := backend.token_to_id(tag)) is not None
    }


def grow(model: PreTrainedModel, pieces: dict[int, list[int]], size: int) -> None:
    """Give a model rows for new tokens.

    A new row is the mean of the rows of what the token had been written with before: `<speaker2>`
    begins as something like markup about a second speaker, apart from `<speaker3>`, and no likelier
    than its parts. One without parts begins as the mean of all rows.

    Args:
        model: Its embeddings are changed in place.
        pieces: The new ids, as `add_tags` gave them.
        size: How many tokens the tokenizer has now.
    """
    if size > _vocabulary_rows(model)[0].shape[0]:
        model.resize_token_embeddings(size, mean_resizing=False)
    if not pieces:
        return
    old = min(pieces)
    with torch.no_grad():
        for rows in _vocabulary_rows(model):
            mean = rows[:old].mean(0)
            for id_, known in pieces.items():
                rows[id_] = rows[known].mean(0) if known else mean


def vocabulary_size(model: PreTrainedModel) -> int:
    """Return how many rows a model's embedding has: tokens, and what it may be padded by."""
    return len(_vocabulary_rows(model)[0])


def _vocabulary_rows(model: PreTrainedModel) -> list[torch.Tensor]:
    """Return all that has one row a token, what is tied once."""
    head: nn.Module | None = model.get_output_embeddings()  # type: ignore[no-untyped-call]
    found: list[object] = [model.get_input_embeddings().weight]
    if head is not None:
        found += [head.weight, getattr(head, "bias", None)]
    return list({id(rows): rows for rows in found if isinstance(rows, torch.Tensor)}.values())
