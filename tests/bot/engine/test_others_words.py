"""What others wrote is not said, whichever engine writes."""

from typing import Any

from bot.engine import ReplyEngine, Sampling
from bot.engine.grammar import Grammar
from bot.engine.local import LocalEngine
from bot.engine.remote import RemoteEngine
from likeness.card import RunCard
from likeness.quotes import OthersWords, runs
from likeness.tokenizer import FolderTokenizer
from tests.bot.engine.completions import Completions, serving, text
from tests.bot.engine.conftest import ToyModel

SECRET = "the key to the cabin is under the stone"


class Wrote:
    """What others wrote: one text."""

    def __init__(self, text: str) -> None:
        self.text = text

    def quoted_in(self, text: str) -> bool:
        return text == self.text


async def said(engine: ReplyEngine, message: Any, **sampling: Any) -> list[str]:
    chosen = Sampling(**{"seed": 2, "max_new_tokens": 20, **sampling})
    return [part.text async for part in engine.reply([message("hi")], chosen)]


async def test_one_that_begins_with_others_words_is_not_the_best(
    engine: LocalEngine, toy: ToyModel, grammar: Grammar, toy_card: RunCard, message: Any
) -> None:
    best = await said(engine, message, best_of=4)
    others: Any = Wrote(best[0])
    held = LocalEngine(toy_card, ToyModel(toy.vocabulary), grammar, others)
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
        engine = RemoteEngine(toy_card, tokenizer, url, others=OthersWords(sorted(runs(SECRET))))
        assert await said(engine, message) == ["sure"]
        assert await said(engine, message) == []
        assert await said(engine, message) == ["the key is under the stone"]
        await engine.close()
