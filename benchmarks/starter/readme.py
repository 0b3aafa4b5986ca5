"""The README.md that lies beside the starter's weights."""

from likeness.card import RunCard


def readme(card: RunCard) -> str:
    """Return what the starter says of itself: data, licences, figures, and what it cannot do."""
    rows = "".join(
        f"| {name} | {data['attribution']} | {data['licence']} | {data['conversations']:,} | "
        f"{data['messages']:,} | {card.metrics['nats_per_character'][name]:.3f} |\n"
        for name, data in card.data.items()
    )
    settings, metrics = card.settings, card.metrics
    shape = (
        f"{metrics['weights'] / 1e6:.1f} million weights ({settings['layers']} layers, "
        f"{settings['width']} wide, {card.context_tokens} positions)"
    )
    tokens = sum(data["tokens"] for data in card.data.values())
    seen = (
        f"{metrics['tokens_seen'] / 1e6:.1f} million tokens, {metrics['tokens_seen'] / tokens:.1f} "
        f"times the {tokens / 1e6:.1f} million that there are, in {metrics['steps']:,} steps"
    )
    minutes = metrics["minutes"]
    again = "".join(
        f"\nEach conversation of {name} counts {data['share']:g} times, with one or another of its "
        "people as me."
        for name, data in card.data.items()
        if data["share"] > 1
    )
    return f"""# The starter

A small English language model that knows what a chat looks like, made as the base for
`likeness train --base starter`. It is a GPT-2 of {shape},
with a byte-level BPE of its own, in which the tags of the prompt are tokens from the start.

## What it learned from

| corpus | by | licence | conversations | messages | nats a character, held out |
|---|---|---|---|---|---|
{rows}
Training saw {seen} in {minutes:.0f} minutes on a shared processor.{again}
The figures are of conversations that never taught. The files' SHA-256, and every setting and
version, stand in `likeness.json`.

The corpora were changed: stage directions, bots and long speeches were taken out, dialogues were
cut into conversations, and some speakers of carefully written corpora were put into small letters.

## Licence

The weights and the tokenizer in this folder: CC BY-SA 4.0, with the attributions above. The code of
Likeness has its own licence.

## What it cannot do

* It knows no facts, and says wrong ones fluently. It does not reason, count or remember.
* It writes English only, in short messages.
* It plays nobody: who is `<speaker1>` was drawn by lot. It wants fine-tuning on somebody's chats.
* It repeats what its corpora hold: films, music, football, Ubuntu and dragons, and their opinions.
  Nothing was filtered but what is said above.

A longer run replaces it: `docs/starter.md` has the commands.
"""
