"""One login at Discord: hear, look up what was missed, answer, obey."""

import asyncio
import logging
import sys
from typing import Any

import aiohttp
import discord
from discord import app_commands

from bot.adapters import delivery
from bot.adapters.delivery import Answers, Patience
from bot.adapters.discord_chats import Channel, DiscordOutlet, chat_of, pause, translate
from bot.commands import COMMANDS, FOR_EVERYBODY, obey
from bot.conversation import Conversation
from bot.history import ChatId
from likeness.errors import DatabaseError, LikenessError

log = logging.getLogger(__name__)

CHANNELS = 100
"""In how many channels, the liveliest first, to look up what was missed."""


class LikenessClient(discord.Client):
    """One login of the bot."""

    def __init__(self, conversation: Conversation, patience: Patience, catch_up: int = 0) -> None:
        """Ask for no more than it needs, and never ping anybody.

        Args:
            conversation: Who answers.
            patience: For what fails.
            catch_up: How many missed messages a channel to look up.
        """
        super().__init__(
            intents=discord.Intents(guilds=True, messages=True, message_content=True),
            allowed_mentions=discord.AllowedMentions.none(),
            guild_ready_timeout=0,  # nothing here waits for all servers, and it outlives a close
        )
        self.was_connected = False
        self._conversation = conversation
        self._patience = patience
        self._catch_up = catch_up
        self._answers = Answers(patience.answers, self._answer_owed)
        self._hearing = asyncio.Lock()
        self.tree = app_commands.CommandTree(self)
        for name, does in COMMANDS.items():
            self.tree.add_command(_slash_command(self, name, does))

    async def stop(self) -> None:
        """Finish the answers being written, then leave."""
        await self._answers.finish(self._patience.grace_seconds)
        await self.close()

    async def setup_hook(self) -> None:
        """Register the commands, where Discord has others; answer what other processes hear."""
        if self._conversation.history.shared:
            self._conversation.watch.connected("discord", up=True)
            self._answers.keep_looking()
        try:
            known = {(found.name, found.description) for found in await self.tree.fetch_commands()}
            if known != set(COMMANDS.items()):
                await self.tree.sync()
        except discord.HTTPException as error:
            log.warning("discord: the commands were not registered: HTTP %d", error.status)

    async def on_connect(self) -> None:
        """Note that Discord took the login; it does so again after an outage."""
        self.was_connected = True
        self._conversation.watch.connected("discord", up=True)
        log.info("discord: connected")

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
            told = str(error) if isinstance(error, LikenessError) else delivery.wordless(error)
            log.error("discord: %s failed: %s", event_method, told)

    async def on_ready(self) -> None:
        """Look up what was missed and answer what waits; it also comes after events were lost."""
        if self._catch_up:
            async with self._hearing:  # what is new waits until what was missed is heard
                for place in await self._conversation.history.newest("discord", CHANNELS):
                    await self._hear_missed(place.chat, int(place.message_id))
        self._answers.refill()

    async def on_message(self, message: discord.Message) -> None:
        """Keep what a person says, and answer if it is meant for the bot."""
        async with self._hearing:  # events are tasks; this keeps them in order
            asks = await self._hear(message)
        if asks:
            self._respond(message.channel, str(message.id))  # type: ignore[arg-type]

    async def on_raw_message_edit(self, event: discord.RawMessageUpdateEvent) -> None:
        """Keep what a message says now; an edit is not answered."""
        edited = translate(event.message)
        if edited is not None:
            chat = chat_of(event.message.channel)
            await self._conversation.history.edit(chat, edited.id, edited.text)

    async def _hear(self, message: discord.Message) -> bool:
        """Keep a message; return whether to answer it.

        Raises:
            DatabaseError: It could not be kept in spite of some tries.
        """
        heard = translate(message)
        if heard is None:
            return False
        chat, asks = chat_of(message.channel), self._is_addressed(message)
        for _, wait in zip(range(self._patience.sends - 1), self._patience.waits(), strict=False):
            try:
                return await self._conversation.hear(chat, heard, asks=asks)
            except DatabaseError as error:  # Discord does not send it again
                log.warning("discord: %s; trying again in %.0f s", error, wait)
                await asyncio.sleep(wait)
        return await self._conversation.hear(chat, heard, asks=asks)

    async def _hear_missed(self, chat: ChatId, newest: int) -> None:
        """Keep what was said in a channel since a message, as far as it is not too old."""
        oldest = discord.utils.time_snowflake(self._conversation.oldest)
        after = discord.Object(max(newest, oldest))
        try:
            channel = await self._channel(chat)
            # From the newest back: what is cut off is what was said first.
            found = channel.history(limit=self._catch_up, after=after, oldest_first=False)
            for message in reversed([message async for message in found]):
                await self._hear(message)
        except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
            log.warning("%s: nothing missed was looked up: %s", chat, type(error).__name__)

    async def _answer_owed(self, limit: int) -> int:
        found = await self._conversation.owed("discord", limit)
        for place in found:
            try:
                self._respond(await self._channel(place.chat), place.message_id)
            except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
                log.warning("%s: it cannot be answered: %s", place.chat, type(error).__name__)
        return len(found)

    async def _channel(self, chat: ChatId) -> Channel:
        number = int(chat.thread or chat.chat)
        channel = self.get_channel(number) or await self.fetch_channel(number)
        if not isinstance(channel, Channel):
            raise discord.InvalidData("not a channel to write in")
        return channel

    def _respond(self, channel: Channel, message_id: str) -> None:
        outlet = DiscordOutlet(channel, message_id, self._patience)
        self._answers.start(outlet.chat, self._conversation.respond(outlet))

    def _is_addressed(self, message: discord.Message) -> bool:
        if message.guild is None or self.user in message.mentions:
            return True
        if message.guild.self_role in message.role_mentions:
            return True
        original = message.reference.resolved if message.reference else None
        return isinstance(original, discord.Message) and original.author == self.user

    async def obey(self, interaction: discord.Interaction, command: str) -> None:
        """Take a command at once, as Discord waits three seconds, and do it in its time."""
        quiet = command not in FOR_EVERYBODY
        try:
            await interaction.response.defer(ephemeral=quiet)
        except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
            log.warning("discord: a command came too late or twice: %s", type(error).__name__)
            return
        chat = _chat_of_command(interaction)
        self._answers.start(chat, self._follow_up(interaction, chat, command, quiet=quiet))

    async def _follow_up(
        self, interaction: discord.Interaction, chat: ChatId, command: str, *, quiet: bool
    ) -> None:
        text = await obey(self._conversation, chat, command)
        await delivery.insist(
            lambda: interaction.followup.send(text, ephemeral=quiet), pause, self._patience
        )
        if command == "again":
            self._respond(await self._channel(chat), "")


def _slash_command(
    client: LikenessClient, name: str, does: str
) -> app_commands.Command[Any, [], None]:
    async def obey(interaction: discord.Interaction) -> None:
        await client.obey(interaction, name)

    return app_commands.Command(name=name, description=does, callback=obey)


def _chat_of_command(interaction: discord.Interaction) -> ChatId:
    if interaction.channel is None:
        return ChatId("discord", str(interaction.channel_id))
    return chat_of(interaction.channel)
