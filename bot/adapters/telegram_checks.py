"""What keeps a bot from working on Telegram, found before it is started."""

from collections.abc import AsyncIterator

from telegram import Bot, User, WebhookInfo
from telegram.error import InvalidToken, NetworkError, TelegramError

from bot.adapters.telegram import REFUSED
from bot.adapters.telegram_wire import TelegramRequest, quieten_libraries
from bot.findings import Finding
from bot.settings import Settings


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """Look at the token, the groups and the webhook; nothing is changed or fetched."""
    if settings.telegram_token is None:
        yield Finding(
            "Telegram token", "fault", "TELEGRAM_TOKEN is not set: write /newbot to @BotFather."
        )
        return
    quieten_libraries()
    bot = Bot(
        settings.telegram_token.get_secret_value(),
        base_url=settings.telegram_base_url,
        request=TelegramRequest(),
    )
    try:
        async with bot:
            webhook = await bot.get_webhook_info()
    except InvalidToken:
        yield Finding("Telegram token", "fault", REFUSED)
        return
    except NetworkError as error:
        yield Finding(
            "Telegram",
            "fault",
            f"It cannot be reached ({type(error).__name__}): is the network up?",
        )
        return
    except (TelegramError, AttributeError, KeyError, TypeError, ValueError) as error:
        yield Finding(
            "Telegram",
            "fault",
            f"What answers does not speak as Telegram does ({type(error).__name__}): is "
            "TELEGRAM_BASE_URL right?",
        )
        return
    yield Finding("Telegram token", "ok", f"It is that of @{bot.username}.")
    yield _groups(bot.bot)
    yield _webhook(webhook)


def _groups(me: User) -> Finding:
    if me.can_join_groups is False:
        return Finding(
            "Telegram groups",
            "note",
            "The bot cannot be added to groups; to allow it: @BotFather, /setjoingroups, your bot, "
            "Enable.",
        )
    if not me.can_read_all_group_messages:
        return Finding(
            "Telegram groups",
            "note",
            "In groups the bot hears only what mentions or answers it. To let it follow the rest: "
            "@BotFather, /setprivacy, your bot, Disable; then take it out of each group and add it "
            "again.",
        )
    return Finding("Telegram groups", "ok", "The bot hears everything that is said in its groups.")


def _webhook(found: WebhookInfo) -> Finding:
    waiting = f"{found.pending_update_count} messages wait there."
    if not found.url:
        return Finding("Telegram webhook", "ok", f"None is set. {waiting}")
    told = "" if found.last_error_date is None else " Telegram could not reach it the last time."
    return Finding(
        "Telegram webhook",
        "note",
        "One is set: without --webhook `likeness serve` takes it away and fetches by itself; "
        f"nothing is lost.{told} {waiting}",
    )
