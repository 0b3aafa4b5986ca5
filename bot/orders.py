"""A command as it was given: by whom, where, and with which words."""

from dataclasses import dataclass

from bot.access import Access, Visitor
from bot.conversation import Conversation
from bot.history import ChatId


@dataclass(frozen=True, slots=True)
class Order:
    """A command that somebody gave, who may give it.

    Attributes:
        conversation: What it is about.
        access: Who else may talk to the bot.
        visitor: Who gave it.
        chat: Where.
        owner: Whether the bot is theirs.
        name: The command, without a slash.
        words: What came behind it.
        through: What `History.mark` returned when it was heard; None if that was just now.
    """

    conversation: Conversation
    access: Access
    visitor: Visitor
    chat: ChatId
    owner: bool
    name: str
    words: str = ""
    through: int | None = None
