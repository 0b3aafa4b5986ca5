"""What LIKENESS_DATABASE may say, and in one sentence why it does not fit."""

import sqlite3
import sys
import traceback
from pathlib import Path

import pytest

from bot.settings import Settings
from bot.store import Store
from bot.store.databases import file_of, make_engine, place, read_url
from bot.store.lock import only_process
from likeness.errors import BadSettings, DatabaseError
from tests.bot.postgresql import PostgreSQL

FILE = "sqlite+aiosqlite:///likeness.db"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+asyncpg://me:hu@sh@db.example/likeness",
        "postgresql+asyncpg://me:hu@sh:sh@db.example/likeness",
        "postgresql+asyncpg://me:hu@sh/sh@db.example/likeness",
        "postgresql+asyncpg://me:hu@sh?sh@db.example/likeness",
        "postgresql+asyncpg://me:hush@db.example:sh/likeness",
        "postgresql+asyncpg://me:hush@db.example:65536/likeness",
        "postgresql://me:hush@db.example/likeness",
        "hush",
    ],
)
def test_an_address_that_does_not_fit_is_one_sentence_that_tells_nothing_of_it(
    url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LIKENESS_DATABASE", url)
    for look in (Settings.read, lambda: read_url(url), lambda: only_process(url).__enter__()):
        with pytest.raises(BadSettings, match="LIKENESS_DATABASE must be a URL like sql") as caught:
            look()  # type: ignore[operator]
        assert "%40 %3A %2F" in str(caught.value)
        assert "sh" not in "".join(traceback.format_exception_only(caught.value))


@pytest.mark.parametrize(
    "url",
    [
        FILE,
        "sqlite+aiosqlite:////srv/me@home/likeness.db",
        "sqlite+aiosqlite://",
        "postgresql+asyncpg://me:hu%40sh%3A%2F@db.example:5432/likeness",
        "postgresql+asyncpg://me:a?b:c/d@db.example/likeness?ssl=require",
        "postgresql+asyncpg://postgres@/likeness?host=/run/postgresql",
    ],
)
def test_an_address_that_fits_is_left_as_it_is(
    url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LIKENESS_DATABASE", url)
    assert Settings.read().database == url


def test_a_file_is_named_by_its_path_and_by_no_url_of_its_own() -> None:
    assert file_of(FILE) == Path("likeness.db")
    with pytest.raises(
        BadSettings, match="LIKENESS_DATABASE must name a file by its path, such as"
    ):
        read_url("sqlite+aiosqlite:///file:likeness.db?uri=true")


async def test_another_program_s_file_is_a_setting_to_be_mended(tmp_path: Path) -> None:
    file = sqlite3.connect(tmp_path / "other.db")
    file.execute("CREATE TABLE messages (id INTEGER)")
    file.close()
    with pytest.raises(BadSettings, match="belongs to another program"):
        await Store.open(f"sqlite+aiosqlite:///{tmp_path}/other.db")


@pytest.mark.slow
async def test_a_name_that_the_server_refuses_is_a_setting_to_be_mended(
    postgresql: PostgreSQL,
) -> None:
    url = postgresql.new_database()
    for strange in (url.replace("postgres@", "nobody@"), url.replace("/test", "/nosuch")):
        with pytest.raises(BadSettings, match=r"cannot be opened: .* does not exist"):
            await Store.open(strange)


@pytest.mark.slow
async def test_sslmode_is_understood_as_postgresql_s_own_programs_do(
    postgresql: PostgreSQL,
) -> None:
    url = postgresql.new_database()
    await (await Store.open(f"{url}&sslmode=disable")).close()
    with pytest.raises(DatabaseError, match="cannot be opened"):
        await Store.open(f"{url.replace('?host=', '?sslmode=require&host=')}-gone")
    with pytest.raises(BadSettings, match=r"behind its \? that asyncpg does not know: .*'sslmod'"):
        await Store.open(f"{url}&sslmod=disable")


def test_what_sslmode_says_reaches_the_driver_as_ssl() -> None:
    for query in ("sslmode=require", "sslmode=disable&ssl=require"):
        engine = make_engine(f"postgresql+asyncpg://me:hush@db.example/likeness?{query}")
        _, told = engine.dialect.create_connect_args(engine.url)
        assert told["ssl"] == "require"
        assert "sslmode" not in told


def test_a_driver_that_is_missing_is_named_with_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    with pytest.raises(BadSettings, match=r"pip install 'likeness\[postgresql\]'"):
        make_engine("postgresql+asyncpg://me:hush@db.example/likeness")


def test_a_database_s_name_tells_no_password() -> None:
    for url in ("postgresql+asyncpg://me:hush@db/x", "postgresql+asyncpg://me@db/x?password=hush"):
        assert "hush" not in place(read_url(url))
        assert "me" in place(read_url(url))
