"""What people can tell the bot to do, in the same words on every platform."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot import chat_settings, owner, personal_data
from bot.orders import Order
from bot.outlet import Reply

NOTHING_SAID = "I have said nothing yet that I could take back."
STOPPED = "My owner has stopped me for now: I answer nothing."
STARTED_OVER = "We start over: I no longer look at what we wrote before."
OWNER_ONLY = "Only my owner can tell me that."


@dataclass(frozen=True, slots=True)
class Command:
    """One thing to tell the bot.

    Attributes:
        does: What it does, in the words shown to people.
        obey: Does it.
        takes: What may be said behind it; empty for nothing.
        public: Whether it concerns everybody in a chat.
        owner: Whether only the owner may.
    """

    does: str
    obey: Callable[[Order], Awaitable[Reply]]
    takes: str = ""
    public: bool = False
    owner: bool = False


async def obey(order: Order) -> Reply:
    """Do what one of `COMMANDS` says, and return what to tell the chat.

    Raises:
        DatabaseError: It could not be kept.
    """
    command = COMMANDS.get(order.name, COMMANDS["help"])
    if command.owner and not order.owner:
        return Reply(OWNER_ONLY, refuses=True)
    return await command.obey(order)


def introduction(me: str) -> str:
    """Return how the bot introduces itself."""
    return f"{what_i_am(me)} Write to me!"


def what_i_am(me: str) -> str:
    """Return that this is a bot, and whom it imitates."""
    return (
        f"I am a bot. I imitate how {me} writes, but I am not {me}: "
        "a language model makes up everything I say."
    )


async def _start(order: Order) -> Reply:
    tells = await owner.reminder(order) if order.owner else ()
    return Reply(introduction(order.conversation.me), tells=tells)


async def _help(order: Order) -> Reply:
    lines = [
        f"/{name} – {command.does}"
        for name, command in COMMANDS.items()
        if order.owner or not command.owner
    ]
    return Reply("\n".join([introduction(order.conversation.me), "", *lines]))


async def _again(order: Order) -> Reply:
    if not await order.conversation.take_back(order.chat, question=False):
        counts = await order.conversation.history.counts()
        return Reply(STOPPED if counts.stopped else NOTHING_SAID)
    return Reply("Let me try again.", asks_anew=True)


async def _undo(order: Order) -> Reply:
    done = await order.conversation.take_back(order.chat, question=True)
    return Reply("I no longer look at what you wrote last." if done else NOTHING_SAID)


async def _reset(order: Order) -> Reply:
    await order.conversation.reset(order.chat, order.through)
    return Reply(STARTED_OVER)


COMMANDS = {
    "start": Command("say what I am", _start, takes="code"),
    "help": Command("say what I am and what I understand", _help),
    "again": Command("give another answer to what you wrote last", _again, public=True),
    "undo": Command("forget what you wrote last, and my answer", _undo, public=True),
    "reset": Command("start over: I no longer look at what we wrote before", _reset, public=True),
    "settings": Command("how I write in this chat", chat_settings.change, takes="change"),
    "mydata": Command("send you what I keep of you, as a file", personal_data.send),
    "forgetme": Command("delete what I keep of you, everywhere", personal_data.delete),
    "allow": Command("for my owner: let somebody talk to me", owner.allow, "who", owner=True),
    "deny": Command("for my owner: let somebody no longer", owner.deny, "who", owner=True),
    "stop": Command("for my owner: say nothing any more, anywhere", owner.stop, owner=True),
    "go": Command("for my owner: answer again", owner.go, owner=True),
    "status": Command("for my owner: how I am", owner.status, owner=True),
}
"""What a chat may ask for."""
