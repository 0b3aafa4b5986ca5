"""A conversation in the terminal, line by line."""

import asyncio
import dataclasses
import io
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from subprocess import PIPE
from typing import Any

import pytest
from prompt_toolkit import PromptSession
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput
from rich.console import Console

from bot.adapters.terminal import piped_lines, talk, typed_lines
from bot.engine import Sampling
from likeness.errors import ModelError
from likeness.masking import EMAIL

Make = Callable[..., Any]


class Screen:
    def __init__(self) -> None:
        self.console = Console(file=io.StringIO(), highlight=False, soft_wrap=True)

    @property
    def lines(self) -> list[str]:
        return self.console.file.getvalue().splitlines()  # type: ignore[attr-defined]


async def typed(*lines: str) -> AsyncIterator[str]:
    for line in lines:
        yield line


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def shown(engine: Any, *lines: str, **more: Any) -> list[str]:
    screen = Screen()
    more = {"echo": False} | more
    await talk(engine, Sampling(), lines=typed(*lines), out=screen.console, **more)
    return screen.lines


async def test_each_message_of_a_burst_is_a_line_with_its_name(fake_engine: Make) -> None:
    assert await shown(fake_engine(["sure", "at noon?"]), "lunch?") == [
        "Robin: sure",
        "Robin: at noon?",
    ]


async def test_piped_questions_are_printed_with_their_answers(fake_engine: Make) -> None:
    screen = Screen()
    lines = piped_lines(io.StringIO("hi\n\nbye\n"))
    await talk(fake_engine(), Sampling(), lines=lines, echo=True, out=screen.console)
    assert [line for line in screen.lines if line != "you: "] == [
        "you: hi",
        "Robin: ok",
        "you: bye",
        "Robin: ok",
    ]


async def test_where_the_input_is_closed_nothing_is_said(
    fake_engine: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    screen = Screen()
    await talk(fake_engine(), Sampling(), out=screen.console)
    assert screen.lines == []


@pytest.mark.parametrize("errors", ["strict", "surrogateescape"])
async def test_what_is_piped_and_no_text_is_shown_as_such(errors: str) -> None:
    stream = io.TextIOWrapper(io.BytesIO(b"caf\xe9\nbye\n"), encoding="utf-8", errors=errors)
    assert [line async for line in piped_lines(stream)] == ["caf\ufffd\n", "bye\n"]


async def test_the_first_message_appears_while_the_rest_is_written(fake_engine: Make) -> None:
    rest, screen = asyncio.Event(), Screen()
    engine = fake_engine(["first", rest, "second"])
    talking = asyncio.create_task(
        talk(engine, Sampling(), lines=typed("hi"), echo=False, out=screen.console)
    )
    await settle()
    assert screen.lines == ["Robin: first"]
    rest.set()
    await talking
    assert screen.lines == ["Robin: first", "Robin: second"]


@pytest.mark.parametrize("command", ["h", "/history"])
async def test_the_history_is_shown_in_the_workshop_s_form(fake_engine: Make, command: str) -> None:
    found = await shown(fake_engine(["yes", "you?"]), "are you <b>there</b>?", command)
    assert found[2:] == ["<speaker2> are you <b>there</b>?", "<speaker1> yes<msg> you?"]


async def test_what_is_hidden_from_the_model_is_not_shown_as_seen_by_it(fake_engine: Make) -> None:
    engine = fake_engine()
    engine.card = dataclasses.replace(engine.card, settings={"mask": 1})
    found = await shown(engine, "write to rob@likeness.example", "h")
    assert not any("rob@" in line for line in found if line.startswith("<speaker2>"))
    assert any(EMAIL in line for line in found)


async def test_a_reset_empties_the_history(fake_engine: Make) -> None:
    engine = fake_engine()
    found = await shown(engine, "old", "/reset", "h", "new")
    assert "(nothing was said yet)" in found
    assert [[m.text for m in asked] for asked in engine.asked] == [["old"], ["new"]]


async def test_quitting_ends_it_and_help_lists_the_commands(fake_engine: Make) -> None:
    engine = fake_engine()
    found = await shown(engine, "/help", "/quit", "unheard")
    assert {line.split()[0] for line in found} == {"h", "/reset", "/help", "/quit"}
    assert engine.asked == []


async def test_verbose_shows_what_went_in_and_what_came_out(fake_engine: Make) -> None:
    found = await shown(fake_engine(["yes"]), "[bold]hi[/bold]", verbose=True)
    assert found == ["Robin: yes", "--- in", "[bold]hi[/bold]", "--- out", "yes", "---"]


async def test_the_model_sees_as_many_turns_as_asked_for(fake_engine: Make) -> None:
    engine = fake_engine(["one", "two"])
    await shown(engine, "a", "b", "c", max_history=3)
    assert [[m.text for m in asked] for asked in engine.asked] == [
        ["a"],
        ["a", "one", "two", "b"],
        ["b", "ok", "c"],
    ]


async def test_what_would_steer_the_terminal_is_not_printed(fake_engine: Make) -> None:
    found = await shown(fake_engine(["\x1b[31mred\x07 👩‍🚀[red]x[/red]"]), "hi")
    assert found == ["Robin: \ufffd[31mred\ufffd 👩‍🚀[red]x[/red]"]


async def test_no_words_are_said_to_be_none(fake_engine: Make) -> None:
    assert await shown(fake_engine([]), "hi") == ["(no answer)"]


SLOW = ModelError("The server did not answer in time.")


async def test_a_reply_that_fails_is_said_and_the_conversation_goes_on(
    fake_engine: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen, engine = Screen(), fake_engine(["one", SLOW])
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    with create_pipe_input() as keys, create_app_session(input=keys, output=DummyOutput()):
        keys.send_text("a\rb\r\x04")
        await talk(engine, Sampling(), out=screen.console)
    assert screen.lines[1:] == ["Robin: one", str(SLOW), "Robin: ok"]
    assert [[m.text for m in asked] for asked in engine.asked] == [["a"], ["a", "one", "b"]]


@pytest.mark.parametrize("last", ["b", "/quit"])
async def test_where_nobody_types_a_failed_reply_is_told_at_the_end_too(
    fake_engine: Make, last: str
) -> None:
    screen = Screen()
    talking = talk(fake_engine([SLOW]), Sampling(), lines=typed("a", last), out=screen.console)
    with pytest.raises(ModelError, match=r"Not every message got its answer.*\.$"):
        await talking
    assert screen.lines[:2] == ["you: a", str(SLOW)]
    assert screen.lines[-1] == ("Robin: ok" if last == "b" else "you: /quit")


READS_ITS_INPUT = """
import asyncio, signal, sys
from bot.adapters.terminal import piped_lines

async def read():
    async for line in piped_lines(sys.stdin):
        print(line, end="", flush=True)

signal.signal(signal.SIGINT, signal.default_int_handler)
asyncio.run(read())
"""


@pytest.mark.slow
def test_ctrl_c_ends_it_while_a_pipe_stays_open() -> None:
    command = [sys.executable, "-c", READS_ITS_INPUT]
    with subprocess.Popen(command, stdin=PIPE, stdout=PIPE, stderr=PIPE) as reading:  # noqa: S603
        assert reading.stdin
        assert reading.stdout
        reading.stdin.write(b"hi\n")
        reading.stdin.flush()
        assert reading.stdout.readline() == b"hi\n"
        reading.send_signal(signal.SIGINT)
        assert reading.wait(20) == -signal.SIGINT


async def test_ctrl_c_ends_the_reply_and_keeps_the_conversation(fake_engine: Make) -> None:
    before = signal.getsignal(signal.SIGINT)
    screen, engine = Screen(), fake_engine(["begun", asyncio.Event(), "never"])
    talking = asyncio.create_task(
        talk(engine, Sampling(), lines=typed("a", "b"), echo=False, out=screen.console)
    )
    await settle()
    os.kill(os.getpid(), signal.SIGINT)
    await talking
    assert screen.lines == ["Robin: begun", "(stopped)", "Robin: ok"]
    assert engine.stopped == 1
    assert signal.getsignal(signal.SIGINT) is before
    assert [[m.text for m in asked] for asked in engine.asked][1] == ["a", "begun", "b"]


async def test_leaving_while_a_reply_is_written_stops_the_model(fake_engine: Make) -> None:
    screen, engine = Screen(), fake_engine(["begun", asyncio.Event()])
    talking = asyncio.create_task(
        talk(engine, Sampling(), lines=typed("a"), echo=False, out=screen.console)
    )
    await settle()
    talking.cancel()
    await asyncio.gather(talking, return_exceptions=True)
    await asyncio.sleep(0)
    assert engine.stopped == 1


@pytest.mark.parametrize("last", ["\x04", "\x03"])
async def test_typing_knows_arrow_keys_and_ends_with_ctrl_d_and_ctrl_c(last: str) -> None:
    with create_pipe_input() as keys:
        session: PromptSession[str] = PromptSession(input=keys, output=DummyOutput())
        keys.send_text(f"helo\x1b[Dl\rbye\r{last}")
        found = [line async for line in typed_lines(session)]
    assert found == ["hello", "bye"]
    assert session.history.get_strings() == ["hello", "bye"]


async def test_ctrl_c_throws_away_what_is_typed_and_the_conversation_goes_on() -> None:
    with create_pipe_input() as keys:
        session: PromptSession[str] = PromptSession(input=keys, output=DummyOutput())
        lines = typed_lines(session)
        keys.send_text("never m\x03")
        keys.send_text("hi\r")
        assert await anext(lines) == "hi"
        keys.send_text("\x03")
        assert [line async for line in lines] == []
