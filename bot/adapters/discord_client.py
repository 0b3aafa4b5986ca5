"""One login at Discord: hear, look up what was missed, answer, obey."""

import asyncio
import logging
import sys
from collections.abc import Collection
from contextlib import suppress
from functools import partial

import discord

from bot.adapters import delivery
from bot.adapters.answers import Answers
from bot.adapters.delivery import Patience
from bot.adapters.discord_chats import Channel, DiscordOutlet, chat_of, pause, shard_of, translate
from bot.adapters.discord_commands import Orders
from bot.adapters.discord_people import FAULTS, People, channels_in, is_addressed
from bot.adapters.hearing import Hearing
from bot.history import ChatId, Place
from bot.outlet import NotDelivered, Reply
from bot.reception import Reception
from bot.settings import Settings

log = logging.getLogger(__name__)

CHANNELS = 100
"""In how many channels, the liveliest first, to look up what was missed."""
SERVER_SECONDS = 2.0
"""How long to wait for each server of which Discord tells behind a login, one after the other."""


class LikenessClient(discord.Client):
    """One login of the bot."""

    def __init__(
        self,
        reception: Reception,
        patience: Patience,
        catch_up: int = 0,
        shards: int | None = None,
        *,
        reads: bool = True,
    ) -> None:
        """Ask for no more than it needs, and never ping anybody.

        Args:
            reception: Who hears and answers.
            patience: For what fails.
            catch_up: How many missed messages a channel to look up.
            shards: Over how many connections, where it makes more than one.
            reads: Whether to ask for the right to read what is not for the bot.
        """
        quieten_library()
        super().__init__(
            intents=discord.Intents(guilds=True, messages=True, message_content=reads),
            allowed_mentions=discord.AllowedMentions.none(),
            max_ratelimit_timeout=patience.limit_seconds,
            heartbeat_timeout=patience.silence_seconds,
            shard_count=shards,
            guild_ready_timeout=0,  # nothing here waits for `on_ready`, and it outlives a close
        )
        self.was_connected = False
        self._reception = reception
        self._conversation = reception.conversation
        self._patience = patience
        self._catch_up = catch_up
        self._answers = Answers(
            patience.answers, self._answer_owed, again_seconds=patience.again_seconds
        )
        self._hearing = Hearing("discord", patience)
        self._orders = Orders(self, reception, patience, self._follow)
        self.tree = self._orders.tree
        self._conversation.within["discord"] = partial(channels_in, self)

    async def stop(self) -> None:
        """Finish the answers being written, then leave; at once if that is cut short."""
        grace = self._patience.grace_seconds
        try:
            await asyncio.gather(self._answers.finish(grace), self._orders.chores.finish(grace))
        finally:
            try:
                await self.close()
            finally:  # a farewell that is cut short leaves the connections open
                self._hearing.end()
                await self.http.close()

    async def setup_hook(self) -> None:
        """Register the commands; tell how to own the bot; answer what other processes hear."""
        if self._conversation.history.shared:
            self._conversation.watch.connected("discord", up=True)
            self._answers.keep_looking()
        await self._orders.register()
        await self._reception.open()

    async def on_connect(self) -> None:
        """Begin a session; Discord does so again after events were lost."""
        await self._begin(shard=0)

    async def _begin(self, shard: int) -> None:
        """Look up what was missed before all that a session tells; answer what waits."""
        self.was_connected = True
        self._conversation.watch.connected("discord", up=True)
        log.info("discord: connected")
        try:
            if self._catch_up:
                async with self._hearing.turn():  # what is new waits until what was missed is heard
                    await self._hear_missed(shard)
        finally:
            self._answers.refill()

    async def on_resumed(self) -> None:
        """Note that the session goes on after a break."""
        self._conversation.watch.connected("discord", up=True)

    async def on_disconnect(self) -> None:
        """Note that the line is down; the library connects again by itself."""
        self._conversation.watch.connected("discord", up=False)

    async def on_error(self, event_method: str, /, *_args: object, **_kwargs: object) -> None:
        """Log what went wrong in an event, without anybody's words."""
        error = sys.exception()
        if error is not None:
            log.error("discord: %s failed: %s", event_method, delivery.in_a_line(error))

    async def on_message(self, message: discord.Message) -> None:
        """Keep what a person says, and answer if it is meant for the bot."""
        async with self._hearing.turn():
            asks = await self._hear(message, self._people())
        if asks:
            self._respond(message.channel)  # type: ignore[arg-type]

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        """Do what is on a button that somebody pressed, however long ago it was made."""
        if interaction.type is discord.InteractionType.component:
            await self._orders.press(interaction)

    async def on_raw_message_edit(self, event: discord.RawMessageUpdateEvent) -> None:
        """Keep what a message says now; an edit is not answered."""
        async with self._hearing.turn():  # what was edited may yet have to be kept
            await self._hearing.insist(partial(self._reread, event.message))

    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        """Delete what somebody deleted; it is not answered any more."""
        await self._delete(event.channel_id, {event.message_id})

    async def on_raw_bulk_message_delete(self, event: discord.RawBulkMessageDeleteEvent) -> None:
        """Delete what a moderator deleted."""
        await self._delete(event.channel_id, event.message_ids)

    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        """Delete what was said in a channel that is gone, and in its threads."""
        await self._delete(channel.id)

    async def on_raw_thread_delete(self, event: discord.RawThreadDeleteEvent) -> None:
        """Delete what was said in a thread that is gone."""
        await self._delete(event.thread_id)

    async def _delete(self, place: int, ids: Collection[int] | None = None) -> None:
        which = None if ids is None else {str(id_) for id_ in ids}
        delete = partial(self._conversation.history.delete, "discord", str(place), which)
        async with self._hearing.turn():  # what was deleted may yet have to be kept
            await self._hearing.insist(delete)

    async def _reread(self, message: discord.Message) -> None:
        edited = translate(message)
        if edited is not None:
            visitor = await self._people().author(message)
            await self._reception.reread(visitor, chat_of(message.channel), edited)

    def _people(self) -> People:
        return People(self._reception.access, self._patience.call_seconds)

    async def _hear(self, message: discord.Message, people: People) -> bool:
        """Keep a message; return whether to answer it."""
        return await self._hearing.insist(partial(self._receive, message, people))

    async def _receive(self, message: discord.Message, people: People) -> bool:
        heard = translate(message)
        if heard is None:
            return False
        chat, visitor = chat_of(message.channel), await people.author(message)
        addressed = is_addressed(message, self.user)
        respond, reply = await self._reception.hear(visitor, chat, heard, addressed=addressed)
        if reply is not None:
            outlet = DiscordOutlet(message.channel, self._patience)  # type: ignore[arg-type]
            self._orders.chores.start(chat, self._say(outlet, reply, heard.id))
        return respond

    async def _hear_missed(self, shard: int) -> None:
        """Keep what was said where a session hears, once the servers there are known."""
        with suppress(TimeoutError):
            while any(one.unavailable for one in self.guilds if one.shard_id == shard):
                await self.wait_for(
                    "guild_available",
                    check=lambda told: told.shard_id == shard,
                    timeout=SERVER_SECONDS,
                )
        newest, people = self._conversation.history.newest, self._people()
        for place in await self._hearing.insist(partial(newest, "discord", CHANNELS)):
            for message in await self._missed(place, shard):
                await self._hear(message, people)

    async def _missed(self, place: Place, shard: int) -> list[discord.Message]:
        """Return what was said in a channel since a message, as far as it is not too old."""
        oldest = discord.utils.time_snowflake(self._conversation.oldest)
        after = discord.Object(max(int(place.message_id), oldest))

        async def look_up() -> list[discord.Message]:
            channel = await self._channel(place.chat)
            if shard_of(channel) != shard:
                return []
            # From the newest back: what is cut off is what was said first.
            found = channel.history(limit=self._catch_up, after=after, oldest_first=False)
            return [message async for message in found][::-1]

        try:
            return await delivery.insist(look_up, pause, self._patience)
        except NotDelivered as error:
            log.warning("%s: nothing missed was looked up: %s", place.chat, error)
            return []

    async def _answer_owed(self, limit: int) -> int:
        found = await self._conversation.owed("discord", limit)
        for place in found:
            try:
                self._respond(await self._channel(place.chat))
            except FAULTS as error:
                log.warning("%s: it cannot be answered: %s", place.chat, type(error).__name__)
                if pause(error) is None:
                    await self._conversation.history.release(place.chat)
                else:
                    self._answers.refill_later()
        return len(found)

    async def _channel(self, chat: ChatId) -> Channel:
        number = int(chat.thread or chat.chat)
        async with asyncio.timeout(self._patience.call_seconds):
            channel = self.get_channel(number) or await self.fetch_channel(number)
        if not isinstance(channel, Channel):
            raise discord.InvalidData("not a channel to write in")
        return channel

    def _respond(self, channel: Channel) -> None:
        outlet = DiscordOutlet(channel, self._patience)
        self._answers.start(outlet.chat, self._conversation.respond(outlet))

    async def _say(self, outlet: DiscordOutlet, reply: Reply, answers: str) -> None:
        with delivery.followed(partial(self._follow, reply, outlet.chat)):
            await outlet.say(reply, answers)

    def _follow(self, reply: Reply, chat: ChatId) -> None:
        """Do what follows from a reply: tell others, answer again."""
        for id_, told in reply.tells:
            self._orders.chores.start(chat, self._tell(int(id_), told))
        if reply.asks_anew:
            self._orders.chores.start(chat, self._answer_anew(chat))

    async def _answer_anew(self, chat: ChatId) -> None:
        self._respond(await self._channel(chat))

    async def _tell(self, id_: int, reply: Reply) -> None:
        """Write to somebody in private, sooner or later."""

        async def channel() -> discord.DMChannel:
            user = self.get_user(id_) or await self.fetch_user(id_)
            return await user.create_dm()

        async def say(reply: Reply) -> None:
            found = await delivery.insist(channel, pause, self._patience)
            await DiscordOutlet(found, self._patience).say(reply)

        await delivery.say_some_time(f"discord {id_}", say, reply, self._patience)


class ShardedClient(LikenessClient, discord.AutoShardedClient):
    """One login over several connections, as Discord asks of a bot in thousands of servers."""

    async def on_connect(self) -> None:
        """Do nothing, as it does not say which connection it is."""

    async def on_shard_connect(self, shard_id: int) -> None:
        """Begin a session of one connection."""
        await self._begin(shard_id)


def quieten_library() -> None:
    """Silence what warns of each client that voice lacks its libraries; this bot only writes."""
    discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False


def make_client(reception: Reception, patience: Patience, settings: Settings) -> LikenessClient:
    """Return a login as the settings say."""
    reads, missed = settings.discord_reads == "all", settings.catch_up
    if settings.discord_shards is None:
        return LikenessClient(reception, patience, missed, reads=reads)
    recommended = settings.discord_shards == 0
    shards = None if recommended else settings.discord_shards
    return ShardedClient(reception, patience, missed, shards, reads=reads)
