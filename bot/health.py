"""`/healthz`, `/readyz` and `/metrics`, for supervisors and Prometheus on the same machine."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from bot.metrics import Metrics
from likeness.errors import BadSettings, DatabaseError

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
"""Nobody but this machine may ask: the numbers tell how much people write."""
DATABASE_SECONDS = 5.0
"""How long the database may take to tell how many wait: whoever asks here gives up soon, too."""
CLOSING_SECONDS = 1.0
"""How long requests may take that are not answered yet when the bot stops."""

Owed = Callable[[], Awaitable[Mapping[str, int]]]


@asynccontextmanager
async def health(
    port: int | None, metrics: Metrics, owed: Owed, platforms: Collection[str]
) -> AsyncIterator[int | None]:
    """Answer on a port of this machine until left; yield the port.

    Args:
        port: Which; 0 for any that is free, None for none at all.
        metrics: What `/metrics` tells, and which platforms can be reached.
        owed: Tells from the database how many chats wait, by platform.
        platforms: Those that must be reached for `/readyz` to say yes.

    Raises:
        BadSettings: The port is taken.
    """
    if port is None:
        yield None
        return
    asked = _Asked(owed)
    app = _app(metrics, asked.owed, platforms)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=CLOSING_SECONDS)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, HOST, port).start()
        except OSError as error:
            raise BadSettings(
                f"Port {port} of {HOST} cannot be used for health checks: name another one in "
                "LIKENESS_HEALTH_PORT."
            ) from error
        bound: int = runner.addresses[0][1]
        log.info("health checks and metrics are at http://%s:%d", HOST, bound)
        yield bound
    finally:
        await runner.cleanup()
        await asked.close()


class _Asked:
    """What the database is asked: one request at a time, so that none pile up where it hangs."""

    def __init__(self, owed: Owed) -> None:
        self._owed = owed
        self._asking: asyncio.Future[Mapping[str, int]] | None = None

    async def owed(self) -> Mapping[str, int]:
        """Return how many chats wait, or give up after a while; what was asked goes on."""
        asking = self._asking
        if asking is None or asking.done():
            asking = self._asking = asyncio.ensure_future(self._owed())
            asking.add_done_callback(lambda asked: asked.cancelled() or asked.exception())
        await asyncio.wait([asking], timeout=DATABASE_SECONDS)
        if not asking.done():
            raise DatabaseError("The database does not answer.")
        return asking.result()

    async def close(self) -> None:
        """Ask no more, and let go of the database if it lets go in time."""
        if self._asking is not None and not self._asking.done():
            self._asking.cancel()
            await asyncio.wait([self._asking], timeout=CLOSING_SECONDS)


def _app(metrics: Metrics, owed: Owed, platforms: Collection[str]) -> web.Application:
    async def alive(_request: web.Request) -> web.Response:
        return web.json_response({"alive": True})

    async def ready(_request: web.Request) -> web.Response:
        found = {platform: metrics.is_up(platform) for platform in platforms}
        try:
            await owed()
            found["database"] = True
        except DatabaseError:
            found["database"] = False
        return web.json_response(found, status=200 if all(found.values()) else 503)

    async def numbers(_request: web.Request) -> web.Response:
        try:
            waiting = await owed()
        except DatabaseError as error:
            return web.Response(status=503, text=f"{error}\n")
        page = metrics.page(waiting)
        return web.Response(body=page, headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.router.add_get("/healthz", alive)
    app.router.add_get("/readyz", ready)
    app.router.add_get("/metrics", numbers)
    return app
