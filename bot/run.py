"""The bot at work: one model and one database, a task for each platform, a clean stop."""

import asyncio
import logging
import os
import signal
import threading
from collections.abc import Awaitable, Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any

from bot.conversation import Conversation
from bot.engine import ReplyEngine, Sampling
from bot.health import health
from bot.metrics import Metrics
from bot.settings import Settings
from bot.store import Store
from bot.store.lock import only_process

log = logging.getLogger(__name__)

Adapter = Callable[[Settings, Conversation], Awaitable[None]]


async def serve(
    engine: ReplyEngine,
    settings: Settings,
    platforms: Collection[str],
    sampling: Sampling | None = None,
    *,
    stop_seconds: float | None = None,
) -> None:
    """Answer on platforms until SIGTERM or Ctrl-C, then finish the answers being written.

    A second signal does not wait for them. The engine is closed at the end.

    Args:
        engine: The model that answers, for all platforms.
        settings: Tokens, addresses, the database.
        platforms: Of `telegram` and `discord`; only their libraries are loaded.
        sampling: How replies are chosen.
        stop_seconds: The process is ended so long after a signal if it has not ended by itself.

    Raises:
        InstanceRunning: Another process is at work on the same database file.
        ServeError: The database or a platform cannot be used; the other platforms stop, too.
    """
    asyncio.get_running_loop().set_exception_handler(_log_wordless)
    try:
        with only_process(settings.database):
            store = await Store.open(settings.database)
            try:
                metrics = Metrics()
                conversation = Conversation(
                    store, engine, sampling, manner=settings.manner, watch=metrics
                )
                adapters = [_adapter(platform) for platform in platforms]
                async with health(settings.health_port, metrics, store.count_owed, platforms):
                    await _until_stopped(
                        [adapter(settings, conversation) for adapter in adapters], stop_seconds
                    )
                    await conversation.close()
            finally:
                await store.close()
    finally:
        await engine.close()


def _log_wordless(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log what nobody caught; asyncio itself would quote the error, and that may quote people."""
    told = " ".join(str(context["message"]).split("\n")[:1])
    error = context.get("exception")
    log.error("%s", told, exc_info=error if isinstance(error, BaseException) else None)


def _adapter(platform: str) -> Adapter:
    """Load the adapter of a platform, and with it the platform's library."""
    adapter: Adapter = import_module(f"bot.adapters.{platform}").serve
    return adapter


async def _until_stopped(adapters: Collection[Awaitable[None]], stop_seconds: float | None) -> None:
    """Run adapters until a signal comes or one of them fails, then stop all."""
    stop = asyncio.Event()
    with _signals(stop, stop_seconds):
        tasks = [asyncio.ensure_future(adapter) for adapter in (*adapters, stop.wait())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            log.info("stopping")
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


@contextmanager
def _signals(stop: asyncio.Event, stop_seconds: float | None) -> Iterator[None]:
    """Have the first SIGTERM or SIGINT set an event; the next one ends the process at once."""
    loop = asyncio.get_running_loop()
    caught = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.getsignal(number) or signal.SIG_DFL for number in caught}

    def restore() -> None:
        for number, handler in before.items():
            with suppress(NotImplementedError):
                loop.remove_signal_handler(number)
            signal.signal(number, handler)

    def stop_once() -> None:
        stop.set()
        restore()
        if stop_seconds is not None:
            _leave_within(stop_seconds)

    for number in caught:
        try:
            loop.add_signal_handler(number, stop_once)
        except NotImplementedError:  # on Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop_once))
    try:
        yield
    finally:
        restore()


def _leave_within(seconds: float) -> None:
    """End the process after some time, whatever hangs: all that is owed is in the database."""

    def leave() -> None:
        log.warning("not everything stopped within %.0f s: leaving all the same", seconds)
        os._exit(0)

    timer = threading.Timer(seconds, leave)
    timer.daemon = True
    timer.start()
