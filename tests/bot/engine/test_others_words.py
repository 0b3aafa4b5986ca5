"""What others wrote, and what the owner lists, is not said, whichever engine writes."""

from typing import Any

from bot.engine import ReplyEngine, Sampling
from bot.engine.grammar import Grammar
from bot.engine.guard import Guard
from bot.engine.local import LocalEngine
from bot.engine.remote import RemoteEngine
from bot.engine.unsaid import Unsaid
from likeness.card import RunCard
from likeness.quotes import OthersWords, runs
from likeness.tokenizer import FolderTokenizer
from tests.bot.engine.completions import Completions, serving, text
from tests.bot.engine.conftest import ToyModel

SECRET = "the key to the cabin is under the stone"


class Refuses:
    """A guard that refuses one text."""

    def __init__(self, text: str) -> None:
        self.text = text

    def refuses(self, text: str) -> bool:
        return text == self.text


async def said(engine: ReplyEngine, message: Any, **sampling: Any) -> list[str]:
    chosen = Sampling(**{"seed": 2, "max_new_tokens": 20, **sampling})
    return [part.text async for part in engine.reply([message("hi")], chosen)]


async def test_one_that_begins_with_others_words_is_not_the_best(
    engine: LocalEngine, toy: ToyModel, grammar: Grammar, toy_card: RunCard, message: Any
) -> None:
    best = await said(engine, message, best_of=4)
    guard: Any = Refuses(best[0])
    held = LocalEngine(toy_card, ToyModel(toy.vocabulary), grammar, guard)
    other = await said(held, message, best_of=4)
    await held.close()
    assert other
    assert best[0] not in other


async def test_a_servers_reply_ends_before_what_others_wrote(
    tokenizer: FolderTokenizer, toy_card: RunCard, message: Any
) -> None:
    completions = Completions()
    completions.replies += [
        [text(f" sure<msg>{SECRET}<msg>bye\n")],
        [text(f" {SECRET}")],
        [text(" the key is under the stone\n")],
    ]
    async with serving(completions) as url:
        engine = RemoteEngine(
            toy_card, tokenizer, url, guard=Guard(OthersWords(sorted(runs(SECRET))))
        )
        assert await said(engine, message) == ["sure"]
        assert await said(engine, message) == []
        assert await said(engine, message) == ["the key is under the stone"]
        await engine.close()


async def test_a_servers_reply_ends_before_what_is_never_to_be_said(
    tokenizer: FolderTokenizer, toy_card: RunCard, message: Any
) -> None:
    completions = Completions()
    completions.replies += [[text(" sure<msg>ask GERALD!<msg>bye\n")]]
    async with serving(completions) as url:
        engine = RemoteEngine(toy_card, tokenizer, url, guard=Guard(unsaid=Unsaid(["gerald"])))
        assert await said(engine, message) == ["sure"]
        await engine.close()
