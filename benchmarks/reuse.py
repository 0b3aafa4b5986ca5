"""How much of a chat is read anew for its next reply, and what drafts from the chat would save.

Run `python -m benchmarks.reuse DATA [CORPUS …]`; DATA holds `corpora/` and `gpt2-tokenizer/`. No
model is needed: people's own words stand for what it writes.
"""

import argparse
import gzip
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from benchmarks.folders import existing_folder
from likeness.dialogue import START, TAGS, Turn, encode_turns, join, newest_that_fit, steady_window
from likeness.messages import Message
from likeness.tokenizer import FolderTokenizer

TURNS = 4000
WINDOW = 940
_REACH = 500
_LONGEST = 4
_DRAFTED = 4

Window = Callable[[Sequence[Turn], int], Sequence[Turn]]


def tokenizer(data: Path) -> FolderTokenizer:
    """Return GPT-2's tokenizer with our tags."""
    folder = data / "gpt2-tokenizer"
    names = (str(folder / "vocab.json"), str(folder / "merges.txt"))
    made = Tokenizer(models.BPE.from_file(*names))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens([START, *TAGS])
    return FolderTokenizer(made)


def two_people(path: Path, known: FolderTokenizer) -> list[Turn]:
    """Return the first words of a corpus as one long chat of two people, every second turn mine."""
    moment = datetime(2024, 1, 1, tzinfo=UTC)
    with gzip.open(path, "rt", encoding="utf-8") as file:
        texts = [json.loads(line)["text"] for line in islice(file, TURNS)]
    messages = [
        Message(
            platform="corpus",
            chat_id="1",
            chat="1",
            id=str(number),
            speaker_id=("ann", "me")[number % 2],
            speaker=("Ann", "me")[number % 2],
            outgoing=number % 2 == 1,
            sent_at=moment + timedelta(seconds=7 * number),
            text=text,
        )
        for number, text in enumerate(texts)
    ]
    return encode_turns(messages, known)


def read_anew(turns: Sequence[Turn], known: FolderTokenizer, window: Window) -> tuple[float, float]:
    """Return the mean length of a prompt, and how many of its tokens the last one did not have."""
    last: list[int] = []
    lengths, new = [], []
    for end in range(1, len(turns), 2):
        shown = window(turns[max(0, end - _REACH) : end], WINDOW)
        ids = join(shown, known).ids
        same = next((n for n, (a, b) in enumerate(zip(ids, last, strict=False)) if a != b), None)
        lengths.append(len(ids))
        new.append(len(ids) - (min(len(ids), len(last)) if same is None else same))
        last = join([*shown, turns[end]], known).ids
    return sum(lengths) / len(lengths), sum(new) / len(new)


def tokens_a_step(turns: Sequence[Turn], least: int) -> tuple[float, float]:
    """Return how many tokens of mine a step gives with drafts from the chat, and what it costs.

    What followed the last few tokens before is drafted, the longest match first; a drafted token
    counts if the person wrote it. The step that shows a draft to be wrong gives the right token.

    Args:
        turns: A chat.
        least: How many tokens must match.

    Returns:
        Tokens a step, and tokens drafted a step.
    """
    steps = given = drafted = 0
    for end in range(101, len(turns), 2):
        text = [id_ for turn in newest_that_fit(turns[:end], WINDOW) for id_ in turn.body.ids]
        after = {
            tuple(text[place - length : place]): text[place : place + _DRAFTED]
            for place in range(1, len(text))
            for length in range(least, min(_LONGEST, place) + 1)
        }
        said = turns[end].body.ids
        text.append(said[0])
        place = 1
        while place < len(said):
            lengths = range(_LONGEST, least - 1, -1)
            draft = next((after[key] for n in lengths if (key := tuple(text[-n:])) in after), [])
            pairs = zip(draft, said[place:], strict=False)
            right = takewhile(lambda pair: pair[0] == pair[1], pairs)
            new = said[place : place + len(list(right)) + 1]
            text += new
            place += len(new)
            steps, given, drafted = steps + 1, given + len(new), drafted + len(draft)
    return given / steps, drafted / steps


def main() -> None:
    """Print both for each corpus."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=existing_folder)
    parser.add_argument("corpora", nargs="*", default=["self-dialogue", "group-chat-with-times"])
    given = parser.parse_args()
    known = tokenizer(given.data)
    for name in given.corpora:
        turns = two_people(given.data / "corpora" / f"{name}.jsonl.gz", known)
        for window in (newest_that_fit, steady_window):
            length, new = read_anew(turns, known, window)
            print(f"{name}: {window.__name__}: prompt {length:.0f} tokens, {new:.0f} read anew")
        for least in (1, 2, 3):
            gives, costs = tokens_a_step(turns[:1500], least)
            print(f"{name}: {least} must match: {gives:.2f} tokens a step, {costs:.2f} drafted")


if __name__ == "__main__":
    main()
