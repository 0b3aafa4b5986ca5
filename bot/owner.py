"""What only the owner can tell the bot: whom to let in, to stop, to go on, to say how it is."""

from datetime import timedelta

from bot.access import Guest, Standing
from bot.orders import Order
from bot.outlet import Button, Reply
from bot.settings import PLATFORMS

SHOWN = 8
"""How many guests one reply lists."""
STOPPED = "I say nothing any more, anywhere, until you tell me /go."
GOING = "I answer again what is said from now on."
WHOM = "Whom shall I talk with?"
LET_IN = "My owner has let you in: write to me!"


def buttons(guest: Guest) -> tuple[Button, ...]:
    """Return what lets somebody in, or not."""
    who = f"{guest.platform}:{guest.id}"
    name = guest.name or guest.id
    return Button(f"Allow {name}"[:64], f"allow {who}"), Button("Deny", f"deny {who}")


async def allow(order: Order) -> Reply:
    """Let somebody in, or list who waits."""
    if order.words:
        return await _decide(order, "allowed")
    rows = []
    if order.visitor.group:
        here = Guest(
            order.visitor.platform, order.visitor.circles[0], order.visitor.place, "waiting"
        )
        rows.append(buttons(here))
    if not order.visitor.group or order.visitor.unseen:
        rows += await _waiting(order)
    return Reply(WHOM, tuple(rows)) if rows else Reply("Nobody waits to be let in.")


async def reminder(order: Order) -> tuple[tuple[str, Reply], ...]:
    """Return as `Reply.tells` what asks the owner in private about those who wait, if any do.

    They may have come before the owner could be asked.
    """
    rows = await _waiting(order)
    return ((order.visitor.id, Reply(WHOM, tuple(rows))),) if rows else ()


async def _waiting(order: Order) -> list[tuple[Button, ...]]:
    return [buttons(guest) for guest in await order.access.book.guests("waiting", SHOWN)]


async def deny(order: Order) -> Reply:
    """Shut somebody out, or list who was let in."""
    if order.words:
        return await _decide(order, "denied")
    if order.visitor.group and not order.visitor.unseen:
        return Reply("Tell me that in private, where nobody reads along.")
    allowed = await order.access.book.guests("allowed", SHOWN)
    if not allowed:
        return Reply("You have let nobody in.")
    rows = tuple(
        (Button(f"Deny {guest.name or guest.id}"[:64], buttons(guest)[1].line),)
        for guest in allowed
    )
    named = "\n".join(f"{guest.name or guest.id} ({guest.platform})" for guest in allowed)
    return Reply(f"You have let in, newest first:\n{named}", rows)


async def _decide(order: Order, standing: Standing) -> Reply:
    named, found, id_ = (part.strip() for part in order.words.rpartition(":"))
    platform = named.lower() if found else order.visitor.platform
    if platform not in PLATFORMS or not id_.removeprefix("-").isdecimal():
        return Reply(f"Tell me an id, such as /{order.name} {order.visitor.platform}:42.")
    book = order.access.book
    before = (await book.standings(platform, [id_])).get(id_)
    here = platform == order.access.platform
    if before == "owner" or (here and id_ in await order.access.owners()):
        return Reply("That is my owner.")
    await book.sign(Guest(platform, id_, "", standing))
    if standing == "denied":
        await order.conversation.shut_out(platform, id_)
        return Reply(f"I no longer talk with {platform}:{id_}.")
    tells = ((id_, Reply(LET_IN)),) if here and before == "waiting" else ()
    return Reply(f"I talk with {platform}:{id_} now.", tells=tells)


async def stop(order: Order) -> Reply:
    """Fall silent everywhere at once."""
    await order.conversation.stop()
    return Reply(STOPPED, ((Button("Go on", "go"),),))


async def go(order: Order) -> Reply:
    """Answer again."""
    await order.conversation.go()
    return Reply(GOING)


async def status(order: Order) -> Reply:
    """Say how the bot is."""
    conversation = order.conversation
    counts = await conversation.history.counts()
    up = timedelta(seconds=round(conversation.up_seconds))
    waiting = len(await order.access.book.guests("waiting", 1000))
    return Reply(
        "\n".join(
            [
                "I am stopped; /go lets me answer." if counts.stopped else "I am answering.",
                f"Model: {conversation.voice.engine.card.name}, as {conversation.me}",
                f"Up for: {up}",
                f"Chats: {counts.chats}",
                f"Messages kept: {counts.messages}",
                f"Waiting for an answer: {counts.owed}",
                f"Answers being written: {conversation.answering}",
                f"Strangers waiting to be let in: {waiting}",
            ]
        )
    )
