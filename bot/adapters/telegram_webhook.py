"""Telegram's calls to a web server of ours: each update is kept before it is answered with 200.

Source: core.telegram.org/bots/api#setwebhook: Telegram repeats what is not answered with 2xx, and
sends the secret in a header. It gives a chat's updates one after the other, also over several
connections at once.
"""

import asyncio
import hashlib
import hmac
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Never

import yarl
from aiohttp import web
from telegram import Bot, Update
from telegram.error import BadRequest

from bot.adapters.telegram_wire import readable
from bot.settings import Settings
from likeness.errors import BadSettings, DatabaseError

log = logging.getLogger(__name__)

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 (its name)
CONTENT_LENGTH = 1 << 20
PORTS = (443, 80, 88, 8443)
TAKES = "it must begin with https://, and Telegram must reach it on port 443, 80, 88 or 8443"

Take = Callable[[Update], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where Telegram calls, and where a proxy in front of the bot passes that on to.

    Attributes:
        url: The address that Telegram knows, with https.
        host: On which to listen.
        port: On which to listen.
    """

    url: str
    host: str
    port: int

    @classmethod
    def of(cls, settings: Settings) -> "Webhook | None":
        """Return what the settings say; None if the bot shall fetch by itself."""
        if settings.webhook_url is None:
            return None
        return cls(settings.webhook_url, settings.webhook_host, settings.webhook_port)

    async def listen(
        self, bot: Bot, take: Take, check: Callable[[], Awaitable[None]], every_seconds: float
    ) -> Never:
        """Take what Telegram sends until cancelled.

        Args:
            bot: Whose updates they are.
            take: Keeps one; they are taken one after the other, in the order in which they come.
            check: Looks whether Telegram still takes the token.
            every_seconds: How often to do that.

        Raises:
            BadSettings: The port is taken.
        """
        app = web.Application(client_max_size=CONTENT_LENGTH)
        app.router.add_post("/{path:.*}", _receiver(bot, take))
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=2)
        await runner.setup()
        try:
            await web.TCPSite(runner, self.host, self.port).start()
        except OSError as error:
            await runner.cleanup()
            raise BadSettings(
                f"Port {self.port} of {self.host} cannot be used for the webhook: name another "
                "one in LIKENESS_WEBHOOK_PORT."
            ) from error
        log.info("telegram: taking updates on port %d of %s", self.port, self.host)
        try:
            while True:
                await asyncio.sleep(every_seconds)
                await check()
        finally:
            await runner.cleanup()


async def receive_by(webhook: Webhook | None, bot: Bot, wanted: Sequence[str]) -> None:
    """Tell Telegram whether to call us, and with what.

    Raises:
        BadSettings: Telegram does not take the address.
    """
    if webhook is None:
        await bot.delete_webhook(drop_pending_updates=False)
        return
    try:
        await bot.set_webhook(webhook.url, allowed_updates=wanted, secret_token=secret_of(bot))
    except BadRequest as error:
        raise BadSettings(f"Telegram does not take the webhook's address: {TAKES}.") from error


def is_reachable(url: str) -> bool:
    """Return whether Telegram's own servers take such an address; one at home may take others."""
    try:
        address = yarl.URL(url)
    except ValueError:
        return False
    return address.scheme == "https" and address.port in PORTS


def secret_of(bot: Bot) -> str:
    """Return what Telegram shall send to prove itself: from the token, which only we two know."""
    return hmac.new(bot.token.encode(), b"likeness webhook", hashlib.sha256).hexdigest()


def _receiver(bot: Bot, take: Take) -> Callable[[web.Request], Awaitable[web.Response]]:
    secret, in_order = secret_of(bot).encode(), asyncio.Lock()

    async def receive(request: web.Request) -> web.Response:
        told = request.headers.get(SECRET_HEADER, "").encode(errors="surrogateescape")
        if not hmac.compare_digest(told, secret):
            return web.Response(status=403)
        try:
            update = Update.de_json(readable(await request.json()), bot)
        except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError):
            return web.Response(status=400)
        try:
            async with in_order:
                await take(update)
        except DatabaseError as error:
            log.warning("telegram: %s; it will be sent again", error)
            return web.Response(status=503)
        return web.Response()

    return receive
