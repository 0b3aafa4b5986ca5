"""Commands on Discord: registered, taken in time, done, and told."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import discord
from discord import app_commands

from bot.adapters import delivery
from bot.adapters.answers import Answers
from bot.adapters.delivery import Patience
from bot.adapters.discord_chats import chat_of, extras, pause
from bot.adapters.discord_people import FAULTS, visitor_at
from bot.commands import COMMANDS, Command
from bot.history import ChatId
from bot.outlet import Reply
from bot.reception import Reception

log = logging.getLogger(__name__)

CHORES = 1000
"""How many commands and lines of its own the bot has in hand at once."""

Told = Callable[[Reply, ChatId], None]
"""Does what follows from a reply: whom else to tell, what to answer."""


class Orders:
    """What people order by slash commands and buttons."""

    def __init__(
        self, client: discord.Client, reception: Reception, patience: Patience, told: Told
    ) -> None:
        """Make the commands; `register` tells Discord."""
        self.tree = app_commands.CommandTree(client)
        self.chores = Answers(CHORES)
        self._reception = reception
        self._patience = patience
        self._told = told
        for name, command in COMMANDS.items():
            self.tree.add_command(self._slash(name, command))

    async def register(self) -> None:
        """Register the commands, where Discord has others."""
        ours = {(name, one.does, one.takes) for name, one in COMMANDS.items()}
        try:
            known = {
                (one.name, one.description, "".join(option.name for option in one.options))
                for one in await self.tree.fetch_commands()
            }
            if known != ours:
                await self.tree.sync()
        except (discord.DiscordException, KeyError, TypeError) as error:
            log.warning("discord: the commands were not registered: %s", type(error).__name__)

    async def press(self, interaction: discord.Interaction) -> None:
        """Do what is on a button, and show it in the place of the message with the button."""
        data: Any = interaction.data or {}
        line = str(data.get("custom_id", ""))
        if line.partition(" ")[0] in COMMANDS and await self._taken(interaction.response.defer()):
            flags = interaction.message.flags if interaction.message else discord.MessageFlags()

            async def show(reply: Reply | None) -> None:
                if reply is None:
                    return
                if reply.refuses:
                    await interaction.followup.send(reply.text, ephemeral=True)
                    return
                more = {"view": None, **extras(reply)}
                await interaction.edit_original_response(content=reply.text, **more)

            self._start(interaction, line, show, unseen=flags.ephemeral)

    async def obey(self, interaction: discord.Interaction, line: str) -> None:
        """Take a command at once, as Discord waits three seconds, and do it in its time.

        Whatever is heard while it is taken came after it.
        """
        quiet = not COMMANDS[line.partition(" ")[0]].public
        history = self._reception.conversation.history
        through = asyncio.create_task(history.mark(_chat_of(interaction)))
        if await self._taken(interaction.response.defer(ephemeral=quiet)):

            async def show(reply: Reply | None) -> None:
                if reply is None:
                    await interaction.delete_original_response()
                else:
                    await interaction.followup.send(reply.text, ephemeral=quiet, **extras(reply))

            self._start(interaction, line, show, unseen=quiet, through=through)
        else:
            through.cancel()

    async def _taken(self, answer: Awaitable[object]) -> bool:
        try:
            await answer
        except FAULTS as error:
            log.warning("discord: a command came too late or twice: %s", type(error).__name__)
            return False
        except (KeyError, TypeError) as error:  # the library cannot read how it was taken
            log.debug("discord: a command was taken: %s", type(error).__name__)
        return True

    def _start(
        self,
        interaction: discord.Interaction,
        line: str,
        show: Callable[[Reply | None], Awaitable[None]],
        *,
        unseen: bool,
        through: asyncio.Task[int] | None = None,
    ) -> None:
        """Do what was taken, and show what to say of it: None where nothing is to be said."""
        chat = _chat_of(interaction)

        async def obeyed() -> Reply | None:
            visitor = visitor_at(interaction, unseen=unseen)
            mark = None if through is None else await through
            return await self._reception.obey(visitor, chat, line, mark)

        async def insist(reply: Reply | None) -> None:
            await delivery.insist(lambda: show(reply), pause, self._patience)

        async def work() -> None:
            reply = await delivery.excused(chat, obeyed())
            if reply is None:
                await insist(None)
                return
            with delivery.followed(lambda: self._told(reply, chat)):
                await delivery.say_or_excuse(insist, reply)

        self.chores.start(chat, work())

    def _slash(self, name: str, command: Command) -> app_commands.Command[Any, ..., None]:
        async def plain(interaction: discord.Interaction) -> None:
            await self.obey(interaction, name)

        async def with_words(interaction: discord.Interaction, words: str = "") -> None:
            await self.obey(interaction, f"{name} {words}".strip())

        if not command.takes:
            return app_commands.Command(name=name, description=command.does, callback=plain)
        named = app_commands.rename(words=command.takes)(with_words)
        return app_commands.Command(name=name, description=command.does, callback=named)


def _chat_of(interaction: discord.Interaction) -> ChatId:
    if interaction.channel is None:
        return ChatId("discord", str(interaction.channel_id))
    return chat_of(interaction.channel)
