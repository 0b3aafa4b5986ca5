"""What keeps a bot from working on Discord, found before it is started."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import discord

from bot.adapters.discord import BLIND, REFUSED, urls
from bot.adapters.discord_client import quieten_library
from bot.findings import Finding
from bot.settings import Settings

REACH_SECONDS = 10.0
PERMISSIONS = discord.Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    read_message_history=True,
)
"""What it needs in a server."""


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """Look at the token, the intents and the invitation; the bot does not go online."""
    if settings.discord_token is None:
        yield Finding(
            "Discord token",
            "fault",
            "DISCORD_TOKEN is not set: https://discord.com/developers/applications, your "
            "application, Bot, Reset Token.",
        )
        return
    quieten_library()
    with urls(settings):
        async with discord.Client(intents=discord.Intents(guilds=True)) as client:
            try:
                async with asyncio.timeout(REACH_SECONDS):
                    await client.login(settings.discord_token.get_secret_value())
                    found = await client.application_info()
            except discord.LoginFailure:
                yield Finding("Discord token", "fault", REFUSED)
                return
            except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
                also = ", and DISCORD_API_URL right" if settings.discord_api_url else ""
                yield Finding(
                    "Discord",
                    "fault",
                    f"It cannot be reached ({type(error).__name__}): is the network up{also}?",
                )
                return
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                yield Finding(
                    "Discord",
                    "fault",
                    f"What answers does not speak as Discord does ({type(error).__name__}): is "
                    "DISCORD_API_URL right?",
                )
                return
            yield Finding("Discord token", "ok", f"It is that of {client.user}.")
    for finding in _application(found, needed=settings.discord_reads == "all"):
        yield finding


def _application(found: discord.AppInfo, *, needed: bool) -> list[Finding]:
    flags = found.flags
    reads = flags.gateway_message_content or flags.gateway_message_content_limited
    invitation = discord.utils.oauth_url(
        found.id, permissions=PERMISSIONS, scopes=("bot", "applications.commands")
    )
    said = "The bot may read messages." if reads else BLIND
    if not needed:
        said = "The bot reads private messages and mentions, as LIKENESS_DISCORD_READS says."
    findings = [
        Finding("Discord intents", "ok" if reads or not needed else "fault", said),
        Finding("Discord servers", "note", f"To invite the bot, open {invitation}"),
    ]
    if found.bot_public:
        findings.append(
            Finding(
                "Discord invitation",
                "note",
                "Anybody who has its link may invite the bot: in the developer portal, your "
                "application, Bot, switch off Public Bot.",
            )
        )
    return findings
