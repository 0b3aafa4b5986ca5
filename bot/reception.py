"""At the door of one platform: what becomes of what people say and order there."""

import logging
import math
import random
import re
import time
from collections.abc import Collection
from dataclasses import replace

from bot import owner
from bot.access import MOST_WAITING, Access, Guest, Standing, Visitor
from bot.commands import obey, what_i_am
from bot.conversation import Conversation
from bot.history import ChatId
from bot.orders import Order
from bot.outlet import Reply
from bot.rates import Rate
from bot.settings import Settings
from likeness.card import NAMELESS
from likeness.messages import Message

log = logging.getLogger(__name__)

TOO_MUCH = "That is a lot at once. Give me a minute, please."
NOT_YET = "I only talk with people whom my owner has let in."
OWNED = "You are my owner now. Whoever else writes to me, I ask you first."
KNOCKS_A_MINUTE = 10
"""How often the owner is told of strangers; /allow lists them all."""
MAY_TALK = ("owner", "allowed")
FREE = ("mydata", "forgetme")
"""What also those may order who wait to be let in, or are strangers: of whom something may be
kept, as it is of whom `LIKENESS_ALLOW` no longer names."""

_NOTHING = "(?!)"
"""As a pattern, found nowhere."""


class Reception:
    """At the door of one platform."""

    def __init__(
        self,
        conversation: Conversation,
        access: Access,
        *,
        person_rate: float = 0,
        chat_rate: float = 0,
        aliases: Collection[str] = (),
        dice: random.Random | None = None,
    ) -> None:
        """Take what it decides by.

        Args:
            conversation: Hears and answers.
            access: Who may talk to the bot.
            person_rate: How many answers a minute one person may ask for; 0 for no limit.
            chat_rate: The same of one chat.
            aliases: What people call whom the bot imitates, apart from the whole name; the first
                word of that if there are none.
            dice: Decides when to chime in.
        """
        self.conversation = conversation
        self.access = access
        self._of_person = Rate(person_rate)
        self._of_chat = Rate(chat_rate)
        self._of_knocks = Rate(KNOCKS_A_MINUTE)
        self._chimed_at: dict[ChatId, float] = {}
        self._dice = dice or random.Random()  # noqa: S311 (no secret)
        me = conversation.me
        names = aliases if me == NAMELESS else [me, *(aliases or me.split()[:1])]
        called = "|".join(re.escape(name) for name in names if name.strip()) or _NOTHING
        self._named = re.compile(rf"(?<!\w)(?:{called})(?!\w)", re.IGNORECASE)

    @classmethod
    def of(cls, platform: str, settings: Settings, conversation: Conversation) -> "Reception":
        """Return the door of a platform as the settings want it."""
        owners, allowed = settings.owners(platform), settings.allowed(platform)
        token = settings.token(platform)
        secret = token.get_secret_value() if token else None
        return cls(
            conversation,
            Access(platform, conversation.history, owners, allowed, secret),
            person_rate=settings.person_rate,
            chat_rate=settings.chat_rate,
            aliases=settings.called,
        )

    async def open(self) -> None:
        """Tell whoever sees the log how to become the owner, where nobody is."""
        code = await self.access.code()
        if code is not None:
            platform = self.access.platform
            log.warning("%s: the bot has no owner: write /start %s to it", platform, code)

    async def hear(
        self, visitor: Visitor, chat: ChatId, message: Message, *, addressed: bool
    ) -> tuple[bool, Reply | None]:
        """Keep a message of somebody who may talk to the bot; of others nothing is kept.

        Args:
            visitor: Who.
            chat: Where.
            message: What was said.
            addressed: Whether it was said to the bot.

        Returns:
            Whether to call `Conversation.respond`, and what to tell whom.

        Raises:
            DatabaseError: It could not be kept.
        """
        standing = await self.access.standing(visitor)
        addressed = addressed or self._named.search(message.text) is not None
        if standing not in MAY_TALK:
            return False, await self._knock(visitor) if standing is None and addressed else None
        answerable = self.conversation.answerable(message)
        chimes = answerable and not addressed and visitor.group
        chimes = chimes and await self._feels_like_it(chat, message)
        wants = answerable and (addressed or chimes)
        asks = wants and self._may_ask(visitor, chat, standing)
        if not await self.conversation.history.add(chat, message, asks=asks):
            return False, None
        if asks:
            self._count(visitor, chat, standing)
        respond = self.conversation.notice(chat, message, asks=asks, chimes=chimes)
        return respond, self._too_much(visitor, chat) if wants and not (asks or chimes) else None

    async def reread(self, visitor: Visitor, chat: ChatId, message: Message) -> None:
        """Keep what a message says now, of somebody who may still talk to the bot.

        Raises:
            DatabaseError: It could not be kept.
        """
        if await self.access.standing(visitor) in MAY_TALK:
            history = self.conversation.history
            await history.edit(chat, message.id, message.text, message.speaker_id)

    async def obey(
        self, visitor: Visitor, chat: ChatId, line: str, through: int | None = None
    ) -> Reply | None:
        """Do what somebody orders, if they may; return what to tell, None for nothing.

        Args:
            visitor: Who.
            chat: Where.
            line: A command and its words, without a slash.
            through: What `History.mark` returned when it was heard; None if that was just now.

        Raises:
            DatabaseError: It could not be kept.
        """
        name, _, words = line.partition(" ")
        standing = await self.access.standing(visitor)
        if name == "start" and words and await self.access.pair(visitor, words):
            is_now = Order(self.conversation, self.access, visitor, chat, owner=True, name=name)
            reply = await obey(is_now)
            return replace(reply, text=f"{OWNED}\n\n{reply.text}")
        if standing is None and name not in FREE:
            return await self._knock(visitor)
        if standing == "denied" or (standing == "waiting" and name not in FREE):
            return None
        if not self._may_ask(visitor, chat, standing):
            return self._too_much(visitor, chat)
        self._count(visitor, chat, standing)
        is_owner = standing == "owner"
        words = words.strip()
        return await obey(
            Order(self.conversation, self.access, visitor, chat, is_owner, name, words, through)
        )

    async def _knock(self, visitor: Visitor) -> Reply | None:
        """List a stranger, who is told so once, and the owner is asked."""
        who = Guest(visitor.platform, visitor.id, visitor.name, "waiting")
        if not await self.access.book.knock(who, MOST_WAITING):
            return None
        tells: list[tuple[str, Reply]] = []
        if self._of_knocks.left(visitor.platform):
            self._of_knocks.take(visitor.platform)
            tells = [(id_, _question(visitor, who)) for id_ in await self.access.owners()]
        text = f"{what_i_am(self.conversation.me)} {NOT_YET}"
        return Reply(text, tells=tuple(tells), refuses=True)

    async def _feels_like_it(self, chat: ChatId, message: Message) -> bool:
        """Decide whether to chime in: by what the model says, else by chance and not too often."""
        customs = await self.conversation.history.customs(chat)
        manner = customs.manner(self.conversation.manner)
        if manner.chattiness == "silent":
            return False
        my_turn, now = await self.conversation.my_turn(chat, message), time.monotonic()
        if my_turn is None and now - self._chimed_at.get(chat, -math.inf) < manner.rest_seconds:
            return False
        if self._dice.random() >= manner.chance(my_turn):
            return False
        self._chimed_at[chat] = now
        return True

    def _may_ask(self, visitor: Visitor, chat: ChatId, standing: Standing | None) -> bool:
        if standing == "owner":
            return True
        return self._of_person.left(visitor.id) and self._of_chat.left(chat)

    def _count(self, visitor: Visitor, chat: ChatId, standing: Standing | None) -> None:
        if standing != "owner":
            self._of_person.take(visitor.id)
            self._of_chat.take(chat)

    def _too_much(self, visitor: Visitor, chat: ChatId) -> Reply | None:
        """Return one line for whoever asks too much, and then nothing until there is room."""
        too_much = self._of_chat if self._of_person.left(visitor.id) else self._of_person
        key = chat if too_much is self._of_chat else visitor.id
        return Reply(TOO_MUCH, refuses=True) if too_much.tell(key) else None


def _question(visitor: Visitor, who: Guest) -> Reply:
    """Return what to ask the owner about a stranger."""
    rows = [owner.buttons(who)]
    where = ""
    if visitor.group:
        where = f" in {visitor.place}"
        rows.append(
            owner.buttons(Guest(visitor.platform, visitor.circles[0], visitor.place, "waiting"))
        )
    return Reply(f"{visitor.name} ({visitor.id}) wants to talk to me{where}.", tuple(rows))
