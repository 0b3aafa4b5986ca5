"""What drafting tokens would save: how often a draft is what a model then chose.

    python -m benchmarks.drafts RUN MESSAGES [--moments 100]

RUN is a finished run (trained with `--set last_lesson=0`), which replies at held-out moments;
MESSAGES what it was trained on. What
followed the last few tokens before, in this chat or else most often in what was said to train, is
drafted. A drafted token counts if it is the one that was chosen: so the reply stays the same for
each seed. A step that checks drafts gives those that are right and one more.
"""

import argparse
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import takewhile
from pathlib import Path

from benchmarks.folders import existing_folder
from bot.engine import Sampling
from bot.engine.asking import ask, room_for
from bot.engine.caches import Caches
from bot.engine.grammar import Grammar
from bot.engine.models import Model
from bot.engine.opening import open_model
from bot.engine.writing import Request, write
from likeness.card import RunCard
from likeness.dialogue import encode_turns, join
from likeness.files import read_messages
from likeness.messages import Message
from likeness.tokenizer import FolderTokenizer
from training.moments import read_moments

_LONGEST = 4
_DRAFTED = 4
_CACHE_BYTES = 2**28

Ids = list[int]
Drafter = Callable[[Ids], Ids]


class Table:
    """What followed each few tokens of a text."""

    def __init__(self, texts: Iterable[Ids], least: int) -> None:
        """Read texts; of what followed, the most frequent counts."""
        self._least = least
        followed: dict[tuple[int, ...], Counter[tuple[int, ...]]] = defaultdict(Counter)
        for text in texts:
            for place in range(1, len(text)):
                for length in range(least, min(_LONGEST, place) + 1):
                    rest = tuple(text[place : place + _DRAFTED])
                    followed[tuple(text[place - length : place])][rest] += 1
        self._next = {key: list(found.most_common(1)[0][0]) for key, found in followed.items()}

    def draft(self, text: Ids) -> Ids:
        """Return what followed the text's last tokens, as many of them as are known."""
        for length in range(_LONGEST, self._least - 1, -1):
            found = self._next.get(tuple(text[-length:]))
            if found:
                return found
        return []


def from_chat(least: int) -> Drafter:
    """Return a drafter that knows the chat alone; its newest occurrence counts."""

    def draft(text: Ids) -> Ids:
        for length in range(_LONGEST, least - 1, -1):
            key = text[-length:]
            for place in range(len(text) - 1, length - 1, -1):
                if text[place - length : place] == key:
                    return text[place : place + _DRAFTED]
        return []

    return draft


def gain(replies: Sequence[tuple[Ids, Ids]], drafter: Drafter) -> tuple[float, float]:
    """Return how many tokens a step gives, and how many it drafts.

    Args:
        replies: Prompts and what was written after them.
        drafter: What drafts.
    """
    steps = given = drafted = 0
    for prompt, reply in replies:
        place = 1
        while place < len(reply):
            draft = drafter([*prompt, *reply[:place]])
            pairs = zip(draft, reply[place:], strict=False)
            right = takewhile(lambda pair: pair[0] == pair[1], pairs)
            new = min(len(list(right)) + 1, len(reply) - place)
            place += new
            steps, given, drafted = steps + 1, given + new, drafted + len(draft)
    return given / steps, drafted / steps


def written(
    model: Model, known: FolderTokenizer, card: RunCard, chats: Sequence[list[Message]]
) -> list[tuple[Ids, Ids]]:
    """Return the prompt of each chat, and the tokens of the reply that the engine writes."""
    grammar = Grammar(known, model.vocabulary, known.writable, known.fragments)
    caches, found = Caches(model, _CACHE_BYTES), []
    for seed, chat in enumerate(chats):
        sampling = replace(Sampling(seed=seed), **card.sampling)
        ids = ask(chat, known, card, sampling)
        # no messages to compare with, so each reply is the first that is tried
        steps = write(Request(ids, room_for(sampling, card), sampling), grammar, caches)
        reply: Ids = []
        asked = next(steps)
        try:
            while True:
                if isinstance(asked, list):
                    reply += asked[0].ids if reply or len(asked[0].ids) == 1 else []
                    asked = steps.send(model.read(asked))
                else:
                    asked = next(steps)
        except StopIteration:
            found.append((ids, reply))
    caches.close()
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=existing_folder)
    parser.add_argument("messages", type=Path)
    parser.add_argument("--moments", type=int, default=100)
    told = parser.parse_args()
    moments = read_moments(told.run)[: told.moments]
    if not moments:
        parser.error(f"{told.run} held nothing out: there are no moments to reply at")
    model, known = open_model(told.run), FolderTokenizer.load(told.run)
    replies = written(model, known, RunCard.read(told.run), [m.context for m in moments])
    model.close()
    begin = min(moment.mine[0].sent_at for moment in moments)
    taught = [m for m in read_messages(told.messages) if m.sent_at < begin]
    corpus = [join([turn], known).ids for turn in encode_turns(taught, known)]
    print(f"{len(replies)} replies of {sum(len(r) for _, r in replies) / len(replies):.1f} tokens")
    print("| drafts from | tokens that match | tokens a step | drafted a step |\n|---|---|---|---|")
    for least in (1, 2, 3):
        chat, table = from_chat(least), Table(corpus, least)

        def both(text: Ids, chat: Drafter = chat, table: Table = table) -> Ids:
            return chat(text) or table.draft(text)

        for name, drafter in (("the chat", chat), ("the corpus", table.draft), ("both", both)):
            gives, drafts = gain(replies, drafter)
            print(f"| {name} | {least} | {gives:.2f} | {drafts:.2f} |")


if __name__ == "__main__":
    main()
