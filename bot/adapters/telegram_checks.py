"""What keeps a bot from working on Telegram, found before it is started."""

from collections.abc import AsyncIterator

from telegram import Bot, User, WebhookInfo
from telegram.error import InvalidToken, NetworkError, TelegramError

from bot.adapters.telegram import REFUSED
from bot.adapters.telegram_webhook import TAKES, is_reachable
from bot.adapters.telegram_wire import TelegramRequest, quieten_libraries
from bot.findings import Finding, State
from bot.settings import Settings
from likeness.texts import counted


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """Look at the token, the groups and the webhook; nothing is changed or fetched."""
    if settings.telegram_token is None:
        yield Finding(
            "Telegram token", "fault", "TELEGRAM_TOKEN is not set: write /newbot to @BotFather."
        )
        return
    quieten_libraries()
    elsewhere = settings.telegram_base_url != Settings.model_fields["telegram_base_url"].default
    bot = Bot(
        settings.telegram_token.get_secret_value(),
        base_url=settings.telegram_base_url,
        request=TelegramRequest(),
    )
    try:
        async with bot:
            webhook = await bot.get_webhook_info()
    except InvalidToken:
        also = " Or is TELEGRAM_BASE_URL wrong?" if elsewhere else ""
        yield Finding("Telegram token", "fault", f"{REFUSED}{also}")
        return
    except NetworkError as error:
        also = ", and TELEGRAM_BASE_URL right" if elsewhere else ""
        yield Finding(
            "Telegram",
            "fault",
            f"It cannot be reached ({type(error).__name__}): is the network up{also}?",
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
    ours = settings.webhook_url
    if ours is not None and not elsewhere and not is_reachable(ours):
        yield Finding("Telegram webhook", "fault", f"LIKENESS_WEBHOOK_URL does not do: {TAKES}.")
    else:
        yield _webhook(webhook, ours)


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


def _webhook(found: WebhookInfo, ours: str | None) -> Finding:
    """Say which webhook is set, and what the next start does: `ours` is the one of the settings."""
    count = found.pending_update_count
    waiting = f"{counted(count, 'message')} {'waits' if count == 1 else 'wait'} there."
    if ours is not None and found.url.rstrip("/") != ours:
        before = "Another one is set" if found.url else "None is set"
        return Finding(
            "Telegram webhook",
            "ok",
            f"{before}: `likeness serve` sets that of LIKENESS_WEBHOOK_URL; nothing is lost. "
            f"{waiting}",
        )
    if not found.url:
        return Finding("Telegram webhook", "ok", f"None is set. {waiting}")
    told = "" if found.last_error_date is None else " Telegram could not reach it the last time."
    if ours is not None:
        state: State = "note" if told else "ok"
        says = f"That of LIKENESS_WEBHOOK_URL is set.{told} {waiting}"
        return Finding("Telegram webhook", state, says)
    return Finding(
        "Telegram webhook",
        "note",
        "One is set: without --webhook `likeness serve` takes it away and fetches by itself; "
        f"nothing is lost.{told} {waiting}",
    )
