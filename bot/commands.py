"""What people can tell the bot to do, in the same words on every platform."""

from bot.conversation import Conversation
from bot.history import ChatId

COMMANDS = {
    "start": "say what I am",
    "help": "say what I am and what I understand",
    "again": "give another answer to what you wrote last",
    "undo": "forget what you wrote last, and my answer",
    "reset": "start over: I no longer look at what we wrote before",
}
"""What a chat may ask for, and what it does, in the words shown to people."""

FOR_EVERYBODY = frozenset({"again", "undo", "reset"})
"""The commands that concern everybody in a chat."""

NOTHING_SAID = "I have said nothing yet that I could take back."


async def obey(conversation: Conversation, chat: ChatId, command: str) -> str:
    """Do what one of `COMMANDS` says, and return what to tell the chat.

    After `again` something waits for an answer: the caller calls `respond`.

    Raises:
        DatabaseError: It could not be kept.
    """
    match command:
        case "start":
            return introduction(conversation.me)
        case "reset":
            await conversation.reset(chat)
            return "We start over: I no longer look at what we wrote before."
        case "again":
            done = await conversation.take_back(chat, question=False)
            return "Let me try again." if done else NOTHING_SAID
        case "undo":
            done = await conversation.take_back(chat, question=True)
            return "I no longer look at what you wrote last." if done else NOTHING_SAID
        case _:
            commands = "\n".join(f"/{name} – {does}" for name, does in COMMANDS.items())
            return f"{introduction(conversation.me)}\n\n{commands}"


def introduction(me: str) -> str:
    """Return that this is a bot, and whom it imitates."""
    return (
        f"I am a bot. I imitate how {me} writes, but I am not {me}: "
        "a language model makes up everything I say. Write to me!"
    )
