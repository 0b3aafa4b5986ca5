"""What passes between us and a completions server: the request, its stream, its refusals."""

import json
import re
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from typing import Any

from bot.engine import Sampling
from likeness.dialogue import END_OF_TURN, SPEAKERS, START, TAGS, Tokenizer

_TAG = re.compile("|".join(map(re.escape, (END_OF_TURN, START, *TAGS))))
_BUSY = (408, 425, 429, 500, 502, 503, 504)
_BANNED = -100
"""OpenAI's bias of a token that must not come."""
_ALL = -1
"""A `top_k` that leaves all tokens; older versions of vLLM refuse 0 (its issue 17553)."""
_MOST_IDS = 2**31

_REFUSALS = {
    401: "does not accept the key: set LIKENESS_ENGINE_KEY to the one that it was started with",
    403: "does not accept the key: set LIKENESS_ENGINE_KEY to the one that it was started with",
    404: "has no completions, or not this model: it must be started with the model folder",
    413: "finds the prompt too long: it must be started with the model folder",
}


class RefusedForNow(Exception):
    """A server that has no time, or a fault that may pass."""


def completion(
    ids: list[int], room: int, sampling: Sampling, tokenizer: Tokenizer
) -> dict[str, Any]:
    """Return the request for a reply.

    Args:
        ids: The prompt.
        room: How many tokens the reply has at the most.
        sampling: How to choose them. Where it leaves all, that is said, too: a server has defaults
            of its own.
        tokenizer: Of the model.

    Source: OpenAI's reference of `/v1/completions`; beyond it, what vLLM and llama-server call
    `top_k`, `min_p` and `typical_p`, and vLLM's `stop_token_ids`, `skip_special_tokens` and
    `return_token_ids` (its `CompletionRequest`). By default llama-server chooses among the 40
    likeliest with a `min_p` of 0.05, says its README.
    """
    others = {str(tokenizer.tag(tag)): _BANNED for tag in (START, *SPEAKERS)}
    asked: dict[str, Any] = {
        "prompt": ids,
        "max_tokens": room,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k or _ALL,
        "min_p": sampling.min_p,
        "stream": True,
        "stop": [END_OF_TURN],
        "stop_token_ids": [tokenizer.tag(END_OF_TURN)],
        "logit_bias": others,
        "skip_special_tokens": False,
        "spaces_between_special_tokens": False,
        "return_token_ids": True,
    }
    if sampling.typical_p < 1:
        asked["typical_p"] = sampling.typical_p
    if sampling.seed is not None:
        asked["seed"] = sampling.seed % 2**31
    return asked


async def choices(lines: AsyncIterable[bytes]) -> AsyncIterator[dict[str, Any]]:
    """Yield what the events of a stream bring, up to its end.

    Raises:
        RefusedForNow: The server tells of a fault, or of something that is no event, or it stops
            before it said that the reply is whole, as what is no stream of events does.

    Source: the event stream of the HTML standard, as OpenAI uses it: one object a `data:` line,
    the last choice with a `finish_reason`, and then `[DONE]`.
    """
    whole = False
    async for line in lines:
        name, _, value = line.strip().partition(b":")
        if name != b"data":
            continue
        if value.strip() == b"[DONE]":
            return
        for choice in _choices(value):
            whole = whole or bool(choice.get("finish_reason"))
            yield choice
    if not whole:
        raise RefusedForNow


def _choices(value: bytes) -> list[dict[str, Any]]:
    """Return the choices of an event.

    Raises:
        RefusedForNow: It tells of a fault, or is no event.
    """
    try:
        event = json.loads(value)
    except (ValueError, RecursionError) as error:
        raise RefusedForNow from error
    if not isinstance(event, dict) or event.get("error"):
        raise RefusedForNow
    found = event.get("choices") or []
    if not isinstance(found, list) or not all(isinstance(choice, dict) for choice in found):
        raise RefusedForNow
    return found


def model_of(body: bytes) -> str | None:
    """Return the name of a server's model from its answer to `/v1/models`; None if it names none.

    Source: `transformers serve` lists what its cache holds there, not the model that it was started
    with: nothing, or a fault, where there is no cache. It needs no name.
    """
    try:
        return str(json.loads(body)["data"][0]["id"])
    except (ValueError, LookupError, TypeError, RecursionError):
        return None


def refusal(status: int) -> str | None:
    """Return what a server says with a status, None if it may pass."""
    if status in _BUSY:
        return None
    what = (
        "does not take the request: it must accept token ids as a prompt, as vLLM does, and its "
        "context must be as long as the model's"
    )
    return f"{_REFUSALS.get(status, what)} (HTTP {status})"


class Written:
    """Turns what the events of a stream bring to token ids.

    Attributes:
        begun: Whether anything was written.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        """Begin a reply."""
        self.begun = False
        self._tokenizer = tokenizer
        self._text = ""

    def read(self, choice: dict[str, Any]) -> Iterator[int]:
        """Take what an event brings; yield the ids that are certain now.

        Raises:
            RefusedForNow: It is neither ids nor text.
        """
        ids, text = choice.get("token_ids") or [], choice.get("text") or ""
        if not (isinstance(ids, list) and all(map(_is_id, ids)) and isinstance(text, str)):
            raise RefusedForNow
        self.begun = self.begun or bool(ids or text)
        if ids:
            yield from ids
        else:
            self._text += text
            yield from self._up_to_the_last_tag()

    def finish(self) -> Iterator[int]:
        """Yield the ids of what is left."""
        text, self._text = self._text, ""
        yield from self._tokenizer.encode(text) if text else ()

    def _up_to_the_last_tag(self) -> Iterator[int]:
        begin = 0
        for found in _TAG.finditer(self._text):
            if words := self._text[begin : found.start()]:
                yield from self._tokenizer.encode(words)
            yield self._tokenizer.tag(found.group())
            begin = found.end()
        self._text = self._text[begin:]


def _is_id(found: object) -> bool:
    return type(found) is int and 0 <= found < _MOST_IDS
