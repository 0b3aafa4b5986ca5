"""A conversation in the terminal: one person, one history, kept in memory only."""

import asyncio
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import StringIO, TextIOWrapper
from itertools import groupby
from typing import TextIO

from prompt_toolkit import PromptSession
from rich.console import Console
from rich.text import Text

from bot.engine import ReplyEngine, Sampling, Trace
from bot.engine.asking import as_known
from likeness.dialogue import START, CharacterTokenizer, context
from likeness.errors import ModelError
from likeness.messages import Message
from likeness.texts import harmless

YOU = "you"
COMMANDS = {
    "h": "(or /history) show what was said, as the model sees it",
    "/reset": "start over",
    "/help": "show this",
    "/quit": "leave; Ctrl-D does it too, and Ctrl-C ends a reply or drops what is typed",
}


async def talk(
    engine: ReplyEngine,
    sampling: Sampling,
    *,
    lines: AsyncIterator[str] | None = None,
    echo: bool | None = None,
    out: Console | None = None,
    verbose: bool = False,
    max_history: int | None = None,
) -> None:
    """Converse until the lines end or `/quit`; each message is shown as soon as it is whole.

    Where a reply fails it is said, and the conversation goes on.

    Args:
        engine: Who answers.
        sampling: How.
        lines: What the person says; by default typed at the terminal, or read from standard input.
        echo: Whether to print what the person says; by default where it is not typed.
        out: Where to print; standard output by default.
        verbose: Also show exactly what went into the model and what came out.
        max_history: How many turns the model sees at the most; as many as fit if None.

    Raises:
        ModelError: A reply failed where nobody sits at the terminal and sees it.
    """
    heard = sys.stdin or StringIO()  # None where it was closed: nothing is said
    typed = lines is None and heard.isatty()
    out = out or Console(highlight=False, soft_wrap=True)
    here = _Talk(engine, sampling, out, verbose=verbose, max_history=max_history)
    if typed:
        out.print(f"This is a bot that imitates {engine.card.me}; /help lists what it understands.")
    async for line in lines or (typed_lines() if typed else piped_lines(heard)):
        said = line.strip()
        if echo or (echo is None and not typed):
            here.show(YOU, said)
        if said in ("/quit", "/exit"):
            break
        if said:
            await here.hear(said)
    if here.failed and not typed:
        raise ModelError("Not every message got its answer: why not stands in its place.")


async def typed_lines(session: "PromptSession[str] | None" = None) -> AsyncIterator[str]:
    """Yield what is typed at a terminal, with arrow keys and history, until Ctrl-D or Ctrl-C.

    Ctrl-C throws away what is typed already; where that is nothing, it ends the conversation.
    """
    session = session or PromptSession()
    while True:
        try:
            line = await session.prompt_async(f"{YOU}: ")
        except EOFError:
            return
        except KeyboardInterrupt:
            if not session.default_buffer.text:
                return
            continue
        yield line


async def piped_lines(stream: TextIO) -> AsyncIterator[str]:
    """Yield the lines of a stream that is no terminal, with U+FFFD for what is no text."""
    if isinstance(stream, TextIOWrapper):
        stream.reconfigure(errors="replace")
    while line := await asyncio.wrap_future(_next_line(stream)):
        yield line


def _next_line(stream: TextIO) -> "Future[str]":
    """Read a line in a thread that, unlike those of asyncio, does not keep the process alive."""
    line: Future[str] = Future()

    def read() -> None:
        try:
            line.set_result(stream.readline())
        except (OSError, ValueError) as error:
            line.set_exception(error)

    line.set_running_or_notify_cancel()
    threading.Thread(target=read, daemon=True).start()
    return line


@dataclass(slots=True)
class _Talk:
    engine: ReplyEngine
    sampling: Sampling
    out: Console
    verbose: bool
    max_history: int | None
    messages: list[Message] = field(default_factory=list)
    failed: bool = False

    async def hear(self, said: str) -> None:
        """Do what a line asks for."""
        if said in ("h", "/history"):
            known = as_known(self.messages, self.engine.card)
            self._print(_as_the_model_sees(known), style="dim")
        elif said == "/help":
            self._print("\n".join(f"{name:9}{does}" for name, does in COMMANDS.items()))
        elif said == "/reset":
            self.messages.clear()
            self._print("We start over.", style="dim")
        else:
            self._keep(said, outgoing=False)
            await self._answer()

    def show(self, name: str, text: str) -> None:
        """Print one message and whose it is."""
        self.out.print(Text(f"{name}: ", style="bold") + Text(harmless(text)))

    async def _answer(self) -> None:
        trace = Trace()
        answer = asyncio.create_task(self._write(trace))
        try:
            with _on_ctrl_c(answer.cancel):
                await asyncio.wait({answer})
        finally:
            answer.cancel()
        if answer.cancelled():
            self._print("(stopped)", style="dim")
        elif isinstance(error := answer.exception(), ModelError):
            self.failed = True
            self._print(str(error), style="dim")
        elif not answer.result():
            self._print("(no answer)", style="dim")
        if self.verbose:
            self._print(f"--- in\n{trace.prompt}\n--- out\n{trace.output}\n---", style="dim")

    async def _write(self, trace: Trace) -> int:
        """Show a reply as it comes; return how many messages it had."""
        known = _newest_turns(self.messages, self.max_history)
        sampling = self.sampling.at(len(self.messages))
        reply = self.engine.reply(known, sampling, now=datetime.now(UTC), trace=trace)
        count = 0
        async with aclosing(reply):
            async for part in reply:
                self._keep(part.text, outgoing=True)
                self.show(self.engine.card.me, part.text)
                count += 1
        return count

    def _keep(self, text: str, *, outgoing: bool) -> None:
        speaker = self.engine.card.me if outgoing else YOU
        self.messages.append(
            Message(
                platform="terminal",
                chat_id="terminal",
                chat="terminal",
                id=str(len(self.messages)),
                speaker_id="me" if outgoing else YOU,
                speaker=speaker,
                outgoing=outgoing,
                sent_at=datetime.now(UTC),
                text=text,
            )
        )

    def _print(self, text: str, style: str = "") -> None:
        self.out.print(Text(harmless(text), style=style))


def _newest_turns(messages: Sequence[Message], count: int | None) -> list[Message]:
    turns = [list(turn) for _, turn in groupby(messages, key=lambda message: message.outgoing)]
    kept = turns if count is None else turns[max(0, len(turns) - count) :]
    return [message for turn in kept for message in turn]


def _as_the_model_sees(messages: Sequence[Message]) -> str:
    tokenizer = CharacterTokenizer()
    seen = tokenizer.decode(context(messages, tokenizer, max_tokens=sys.maxsize))
    return seen.removeprefix(START).rstrip("\n") or "(nothing was said yet)"


@contextmanager
def _on_ctrl_c(stop: Callable[[], object]) -> Iterator[None]:
    """Let Ctrl-C stop this alone, where the event loop can see it."""
    before = signal.getsignal(signal.SIGINT)
    try:
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop)
        seen = True
    except (NotImplementedError, RuntimeError, ValueError):  # Windows, or not the main thread
        seen = False
    try:
        yield
    finally:
        if seen:
            asyncio.get_running_loop().remove_signal_handler(signal.SIGINT)
            signal.signal(signal.SIGINT, before)
