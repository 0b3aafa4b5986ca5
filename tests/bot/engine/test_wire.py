"""What a completions server writes: read for what it is, or refused."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.engine.wire import RefusedForNow, Written, choices, model_of
from likeness.tokenizer import FolderTokenizer

DONE = "[DONE]"


async def brought(*events: object) -> list[dict[str, Any]]:
    async def lines() -> AsyncIterator[bytes]:
        for event in events:
            yield f"data: {event if isinstance(event, str) else json.dumps(event)}\n".encode()

    return [choice async for choice in choices(lines())]


def event(**choice: Any) -> dict[str, Any]:
    return {"choices": [choice]}


async def test_a_stream_is_whole_with_its_last_line_or_a_reason_to_finish() -> None:
    assert await brought(DONE) == []
    assert await brought(event(text="hi"), {"choices": [], "usage": {}}, DONE) == [{"text": "hi"}]
    assert len(await brought(event(text="hi"), event(text="", finish_reason="length"))) == 2
    for events in ([], [event(text="hi")], [event(text="hi", finish_reason=None)], [{"x": "y"}]):
        with pytest.raises(RefusedForNow):
            await brought(*events)


@pytest.mark.parametrize(
    "found",
    [[], "", "nan", "[" * 100_000, {"choices": [None]}, {"choices": {"0": {}}}, {"choices": 1}],
    ids=lambda found: str(found)[:20],
)
async def test_what_is_no_event_is_refused(found: object) -> None:
    with pytest.raises(RefusedForNow):
        await brought(found, DONE)


@pytest.mark.parametrize(
    "choice",
    [
        {"text": 5},
        {"token_ids": 5},
        {"token_ids": ["token_id:5"], "text": "hi"},
        {"token_ids": [-1], "text": "hi"},
        {"token_ids": [2**31]},
        {"token_ids": [1.0]},
    ],
    ids=str,
)
def test_what_is_neither_text_nor_ids_is_refused(
    choice: dict[str, Any], tokenizer: FolderTokenizer
) -> None:
    with pytest.raises(RefusedForNow):
        list(Written(tokenizer).read(choice))


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b'{"data": []}', b"[" * 100_000], ids=lambda body: str(body)[:20]
)
def test_a_server_may_name_no_model(body: bytes) -> None:
    assert model_of(body) is None
