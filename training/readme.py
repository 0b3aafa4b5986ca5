"""The README.md of a model folder, for people who find it."""

import re
from pathlib import Path

from likeness import masking
from likeness.card import RunCard
from likeness.files import whole_file
from likeness.texts import counted

FILE_NAME = "README.md"


def leave_card(run: Path, card: RunCard) -> None:
    """Write a card into a model folder, after the README.md that is made of it.

    Raises:
        LikenessError: The disk does not take it.
    """
    with whole_file(run / FILE_NAME) as file:
        file.write(readme(card))
    card.write(run)


def readme(card: RunCard) -> str:
    """Return what a model's folder says of itself in plain words; nobody's messages are in it."""
    data, me = card.data, _plain(card.me)
    left_out = "".join(
        f"| of mine, {why} | {count:,} |\n" for why, count in data["left_out"].items()
    )
    excerpt = (
        ", and `held_out.json` some more\nas token ids, by which a bot checks its rounded weights"
        if data["held_out"]
        else ""
    )
    hidden = f"\n{masking.account(data['masked'])}\n" if data.get("masked") else ""
    return f"""# {_plain(card.name)}

A language model that writes as **{me}** does in chats, trained by Likeness
{card.versions.get("likeness", "")} from `{card.base}`.

It was made from private messages and can repeat them word for word: treat this folder as you would
treat the chats. `report.html` shows how training went and holds some of these messages, as do
`report.json` and `moments.jsonl`; `words.txt` holds all their words{excerpt}.
`others.bin`, numbers made from what others wrote, keeps a bot from saying that: leave it here.

## How good it is

{_figures(card)}
{_mixed(card)}{_last_lesson(card)}## What it learned from

| | messages |
|---|---|
| in the file, everybody's | {data["messages"]:,} |
| of mine, that teach | {data["train"]:,} |
| of mine, held out | {data["held_out"]:,} |
{left_out}{hidden}
## How to use it

`likeness chat path/to/this/folder`, or as any model of transformers:

```python
from transformers import AutoModelForCausalLM, AutoTokenizer

model = AutoModelForCausalLM.from_pretrained("path/to/this/folder")
tokenizer = AutoTokenizer.from_pretrained("path/to/this/folder")
ids = tokenizer("<|endoftext|><speaker2> are you there?\\n<speaker1>", return_tensors="pt")
print(tokenizer.decode(model.generate(**ids, max_new_tokens=40)[0]))
```

`<speaker1>` is {me}. A prompt and its reply may have {card.context_tokens:,} tokens together.
Every setting and version stands in `likeness.json`.
"""


def _plain(name: str) -> str:
    """Return a name of which nothing is taken for Markdown's marks, or for HTML."""
    return re.sub(r"([\\`*_\[\]<>&#|~])", r"\\\1", " ".join(name.split()))


def _mixed(card: RunCard) -> str:
    share = card.metrics.get("learnt_share", 1.0)
    if share == 1:
        return ""
    return (
        f"Its weights stand {share:.0%} of the way from the base's to those that it learnt, where "
        "these messages were predicted best.\n\n"
    )


def _last_lesson(card: RunCard) -> str:
    if not card.metrics.get("last_lesson_steps"):
        return ""
    return "After that they taught it, too, once and at a low rate.\n\n"


def _figures(card: RunCard) -> str:
    before, after = card.metrics["before"], card.metrics["after"]
    if not before or not after:
        wanted = card.settings.get("held_out_share", 1)
        why = "The messages were too few to hold any out" if wanted else "None were held out"
        return f"{why}: nothing tells how good it is.\n"
    rows = [
        ("perplexity per token", "perplexity", ",.1f"),
        ("nats per character", "nats_per_character", ".3f"),
    ]
    figures = "".join(
        f"| {name} | {before[key]:{form}} | {after[key]:{form}} |\n" for name, key, form in rows
    )
    return (
        f"On {counted(card.data['held_out'], 'message')} of {_plain(card.me)} that it never learnt "
        "from:\n\n"
        f"| | before | after |\n|---|---|---|\n{figures}"
    )
