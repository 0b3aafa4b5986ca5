"""`/mydata` and `/forgetme`: what the bot keeps of a person, shown or deleted."""

import io
import json
import sys
from zipfile import ZIP_DEFLATED, ZipFile

from bot.access import Guest
from bot.orders import Order
from bot.outlet import Button, Reply
from likeness.texts import counted

DATA = "mydata.jsonl"
LARGE_BYTES = 5_000_000
"""What is larger is sent zipped: Discord takes ten million bytes, Telegram fifty."""
IN_PRIVATE = "Ask me that in private, where nobody reads along."


async def send(order: Order) -> Reply:
    """Send what is kept of somebody: a line on the person, then a line a message."""
    if order.visitor.group and not order.visitor.unseen:
        return Reply(IN_PRIVATE)
    who = order.visitor
    listed = await _listed(order)
    messages = await order.conversation.history.of_person(who.platform, who.speaker_id)
    person = {
        "platform": who.platform,
        "id": who.id,
        "standing": listed and listed.standing,
        "name": listed and listed.name,
        "since": listed and listed.since and listed.since.isoformat(),
    }
    lines = [json.dumps(person), *(message.to_json() for message in messages)]
    text = f"This is what I keep of you: {counted(len(messages), 'message')}, one a line."
    return Reply(text, file=_file(("\n".join(lines) + "\n").encode()))


def _file(held: bytes) -> tuple[str, bytes]:
    """Return a file with what is kept of somebody, small enough for a platform if that may be."""
    if len(held) <= LARGE_BYTES:
        return DATA, held
    packed = io.BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
        archive.writestr(DATA, held)
    return f"{DATA}.zip", packed.getvalue()


async def _listed(order: Order) -> Guest | None:
    """Return what the owner's list holds of somebody."""
    who, book = order.visitor, order.access.book
    standing = (await book.standings(who.platform, [who.id])).get(who.id)
    if standing is None:
        return None
    # All of a standing at once: the owner makes the list by hand, so it is not long.
    guests = await book.guests(standing, sys.maxsize, who.platform)
    return next((guest for guest in guests if guest.id == who.id), None)


async def delete(order: Order) -> Reply:
    """Delete what is kept of somebody, once they have confirmed it."""
    who = order.visitor
    if order.words not in ("", who.id):  # it was somebody else who was asked
        return Reply("Write /forgetme by itself, and I ask you whether to.", refuses=True)
    if not order.words:
        return Reply(
            "Shall I delete all that you wrote to me, in every chat, and what I answered you in "
            "private? I cannot bring it back.",
            ((Button("Delete it", f"forgetme {who.id}"),),),
        )
    count = await order.conversation.erase(who.platform, who.speaker_id)
    book = order.access.book
    standing = (await book.standings(who.platform, [who.id])).get(who.id)
    if standing in ("owner", "denied"):  # or a stranger could own the bot, or ask in for ever
        await book.strike(who.platform, who.id)
        await book.sign(Guest(who.platform, who.id, "", standing))
    else:
        await book.strike(who.platform, who.id)
    return Reply(f"I have deleted {counted(count, 'message')} and know nothing of you any more.")
