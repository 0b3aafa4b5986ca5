"""The bot at work: one model and one database, a task for each platform, a clean stop."""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module

from bot.conversation import Conversation
from bot.engine import ReplyEngine, Sampling
from bot.settings import Settings
from bot.store import Store

log = logging.getLogger(__name__)

Adapter = Callable[[Settings, Conversation], Awaitable[None]]


async def serve(
    engine: ReplyEngine,
    settings: Settings,
    platforms: Collection[str],
    sampling: Sampling | None = None,
) -> None:
    """Answer on platforms until SIGTERM or Ctrl-C, then finish the answers being written.

    A second signal does not wait for them. The engine is closed at the end.

    Args:
        engine: The model that answers, for all platforms.
        settings: Tokens, addresses, the database.
        platforms: Of `telegram` and `discord`; only their libraries are loaded.
        sampling: How replies are chosen.

    Raises:
        ServeError: The database or a platform cannot be used; the other platforms stop, too.
    """
    try:
        store = await Store.open(settings.database)
        try:
            conversation = Conversation(store, engine, sampling, manner=settings.manner)
            adapters = [_adapter(platform) for platform in platforms]
            await _until_stopped([adapter(settings, conversation) for adapter in adapters])
            await conversation.close()
        finally:
            await store.close()
    finally:
        await engine.close()


def _adapter(platform: str) -> Adapter:
    """Load the adapter of a platform, and with it the platform's library."""
    adapter: Adapter = import_module(f"bot.adapters.{platform}").serve
    return adapter


async def _until_stopped(adapters: Collection[Awaitable[None]]) -> None:
    """Run adapters until a signal comes or one of them fails, then stop all."""
    stop = asyncio.Event()
    with _signals(stop):
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
def _signals(stop: asyncio.Event) -> Iterator[None]:
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

    for number in caught:
        try:
            loop.add_signal_handler(number, stop_once)
        except NotImplementedError:  # on Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop_once))
    try:
        yield
    finally:
        restore()
