"""Discord: hear, keep, answer, send; through discord.py.

Source: what discord.py 2.7.1 leaves to the app was seen against a REST and gateway server on
loopback: it raises on 503 and on a reset connection, and its first connect must not fail.
"""

import asyncio
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp
import discord
import yarl
from discord import app_commands
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.adapters import delivery
from bot.adapters.delivery import Answers, Patience
from bot.adapters.discord_chats import DiscordOutlet, chat_of, pause, translate
from bot.conversation import COMMANDS, ChatId, Conversation
from bot.settings import Settings
from likeness.errors import BadSettings, LikenessError, PlatformUnavailable, TokenRefused

log = logging.getLogger(__name__)

REFUSED = (
    "Discord does not accept the bot's token: reset it in the developer portal (your application, "
    "Bot, Reset Token) and put it into DISCORD_TOKEN."
)
BLIND = (
    "Discord does not let this bot read messages: in the developer portal, your application, Bot, "
    "switch on Message Content Intent."
)
AUTHENTICATION_FAILED = 4004
"""The gateway's close code for a token that is no longer good."""


async def serve(
    settings: Settings, conversation: Conversation, patience: Patience | None = None
) -> None:
    """Answer on Discord until cancelled, then finish the answers being written.

    Raises:
        BadSettings: There is no token.
        TokenRefused: Discord does not accept it.
        PlatformUnavailable: Discord does not let the bot read messages, or the URL is wrong.
    """
    if settings.discord_token is None:
        raise BadSettings(
            "DISCORD_TOKEN is not set: take a token from your application's Bot page in Discord's "
            "developer portal."
        )
    patience = patience or Patience()
    token = settings.discord_token.get_secret_value()
    waits = patience.waits()
    with _urls(settings):
        while True:
            client, trouble = LikenessClient(conversation, patience), "the connection ended"
            try:
                await client.start(token)
            except Exception as error:  # noqa: BLE001 (sorted by _trouble)
                trouble = _trouble(client, error)
            finally:
                await client.stop()
            waits = patience.waits() if client.was_connected else waits
            wait = next(waits)
            log.warning("discord: %s; trying again in %.0f s", trouble, wait)
            await asyncio.sleep(wait)


@contextmanager
def _urls(settings: Settings) -> Iterator[None]:
    """Point discord.py at other servers until left; it knows no place narrower than its classes."""
    before = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    if settings.discord_api_url:
        Route.BASE = settings.discord_api_url
    if settings.discord_gateway_url:
        DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(settings.discord_gateway_url)
    try:
        yield
    finally:
        Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = before


def _trouble(client: "LikenessClient", error: Exception) -> str:
    """Return in words what will pass by waiting, and raise what will not.

    Raises:
        TokenRefused: Discord does not accept the token.
        PlatformUnavailable: The bot may not read messages, or the URL is wrong.
    """
    if isinstance(error, discord.LoginFailure) or (
        isinstance(error, discord.ConnectionClosed) and error.code == AUTHENTICATION_FAILED
    ):
        raise TokenRefused(REFUSED) from None
    if isinstance(error, discord.PrivilegedIntentsRequired):
        raise PlatformUnavailable(BLIND) from error
    if isinstance(error, discord.HTTPException) and pause(error) is None:
        raise PlatformUnavailable(
            f"Discord answers the bot's login with HTTP {error.status}: is DISCORD_API_URL right?"
        ) from error
    # Its first connect trips over itself where the gateway is down (Rapptz/discord.py#10520);
    # later an event that it cannot read ends it.
    expected = aiohttp.ClientError | OSError | discord.DiscordException
    first = isinstance(error, AttributeError) and client.ws is None
    if not (client.was_connected or first or isinstance(error, expected)):
        raise error
    return delivery.wordless(error) if client.was_connected else type(error).__name__


class LikenessClient(discord.Client):
    """One login of the bot."""

    def __init__(self, conversation: Conversation, patience: Patience) -> None:
        """Ask for no more than it needs, and never ping anybody."""
        super().__init__(
            intents=discord.Intents(guilds=True, messages=True, message_content=True),
            allowed_mentions=discord.AllowedMentions.none(),
            guild_ready_timeout=0,  # nothing here waits for all servers, and it outlives a close
        )
        self.was_connected = False
        self._conversation = conversation
        self._patience = patience
        self._answers = Answers()
        self._hearing = asyncio.Lock()
        self.tree = app_commands.CommandTree(self)
        for name, does in COMMANDS.items():
            self.tree.add_command(_slash_command(self, name, does))

    async def stop(self) -> None:
        """Finish the answers being written, then leave."""
        await self._answers.finish(self._patience.grace_seconds)
        await self.close()

    async def setup_hook(self) -> None:
        """Register the commands, where Discord has others."""
        try:
            known = {(found.name, found.description) for found in await self.tree.fetch_commands()}
            if known != set(COMMANDS.items()):
                await self.tree.sync()
        except discord.HTTPException as error:
            log.warning("discord: the commands were not registered: HTTP %d", error.status)

    async def on_connect(self) -> None:
        """Note that Discord took the login; it does so again after an outage."""
        self.was_connected = True
        log.info("discord: connected")

    async def on_error(self, event_method: str, /, *_args: object, **_kwargs: object) -> None:
        """Log what went wrong in an event, without anybody's words."""
        error = sys.exception()
        if error is not None:
            told = str(error) if isinstance(error, LikenessError) else delivery.wordless(error)
            log.error("discord: %s failed: %s", event_method, told)

    async def on_message(self, message: discord.Message) -> None:
        """Keep what a person says, and answer if it is meant for the bot."""
        heard = translate(message)
        if heard is None:
            return
        chat = chat_of(message.channel)
        async with self._hearing:  # events are tasks; this keeps them in order
            new = await self._conversation.hear(chat, heard)
        if new and heard.shown and self._is_addressed(message):
            outlet = DiscordOutlet(message, self._patience)
            self._answers.start(chat, self._conversation.respond(chat, outlet))

    def _is_addressed(self, message: discord.Message) -> bool:
        if message.guild is None or self.user in message.mentions:
            return True
        if message.guild.self_role in message.role_mentions:
            return True
        original = message.reference.resolved if message.reference else None
        return isinstance(original, discord.Message) and original.author == self.user

    async def obey(self, interaction: discord.Interaction, command: str) -> None:
        """Take a command at once, as Discord waits three seconds, and do it in its time."""
        quiet = command != "reset"  # that one concerns everybody who is there
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
        text = await delivery.obey(self._conversation, chat, command)
        await delivery.insist(
            lambda: interaction.followup.send(text, ephemeral=quiet), pause, self._patience
        )


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
