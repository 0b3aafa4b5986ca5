"""The environment, read once, with every fault named at once."""

import errno
import traceback
from pathlib import Path

import pytest

from bot.pace import Manner
from bot.settings import Settings
from likeness.errors import BadSettings

NAMES = (
    "TELEGRAM_TOKEN",
    "DISCORD_TOKEN",
    "LIKENESS_DATABASE",
    "TELEGRAM_BASE_URL",
    "DISCORD_API_URL",
    "DISCORD_GATEWAY_URL",
    "LIKENESS_ENGINE_URL",
    "LIKENESS_ENGINE_KEY",
)


@pytest.fixture(autouse=True)
def bare_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


def test_nothing_set_means_the_defaults() -> None:
    settings = Settings.read()
    assert settings.telegram_token is None
    assert settings.database == "sqlite+aiosqlite:///likeness.db"
    assert settings.telegram_base_url == "https://api.telegram.org/bot"
    assert settings.discord_api_url is settings.discord_gateway_url is None


def test_the_environment_goes_before_the_env_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("TELEGRAM_TOKEN=1:filed\nDISCORD_TOKEN=kept\nOTHER=thing\n")
    monkeypatch.setenv("TELEGRAM_TOKEN", " 1:set ")
    settings = Settings.read(["telegram", "discord"])
    assert settings.telegram_token
    assert settings.telegram_token.get_secret_value() == "1:set"
    assert settings.discord_token
    assert settings.discord_token.get_secret_value() == "kept"


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8081", "http://127.0.0.1:8081/", "http://127.0.0.1:8081/bot"]
)
def test_a_bot_api_server_may_be_named_with_and_without_bot(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TELEGRAM_BASE_URL", url)
    assert Settings.read().telegram_base_url == "http://127.0.0.1:8081/bot"


def _refusal_that_names_each_once(*names: str) -> str:
    with pytest.raises(BadSettings) as caught:
        Settings.read(["telegram", "discord"])
    said = str(caught.value)
    for name in names:
        assert said.count(name) == 1
    return said


def test_every_fault_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELEGRAM_TOKEN", "  ")
    monkeypatch.setenv("DISCORD_TOKEN", "")
    monkeypatch.setenv("LIKENESS_DATABASE", "likeness.db")
    monkeypatch.setenv("DISCORD_GATEWAY_URL", "https://somewhere.example")
    faulty = ("TELEGRAM_TOKEN", "DISCORD_TOKEN", "LIKENESS_DATABASE", "DISCORD_GATEWAY_URL")
    said = _refusal_that_names_each_once(*faulty)
    assert "@BotFather" in said
    assert "discord.com/developers" in said
    assert "\n" not in said


def test_a_token_that_does_not_fit_hides_no_other_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELEGRAM_TOKEN", "1:two words")
    monkeypatch.setenv("LIKENESS_PACE", "hurried")
    monkeypatch.setenv("LIKENESS_COLOUR", "blue")
    faulty = ("TELEGRAM_TOKEN", "DISCORD_TOKEN", "LIKENESS_PACE", "LIKENESS_COLOUR")
    said = _refusal_that_names_each_once(*faulty)
    assert "two words" not in said


def test_a_token_is_asked_for_only_where_its_platform_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "one")
    assert Settings.read(["discord"]).telegram_token is None
    with pytest.raises(BadSettings, match="TELEGRAM_TOKEN"):
        Settings.read(["telegram"])


def test_no_secret_shows_in_repr_or_in_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELEGRAM_TOKEN", "1:hush")
    monkeypatch.setenv("LIKENESS_DATABASE", "postgresql+asyncpg://me:hush@db/likeness")
    assert "hush" not in repr(Settings.read(["telegram"]))
    monkeypatch.setenv("LIKENESS_DATABASE", "postgresql://me:hush@db/likeness")
    with pytest.raises(BadSettings) as caught:
        Settings.read(["telegram"])
    assert "hush" not in "".join(traceback.format_exception(caught.value))


def test_an_env_file_that_is_not_text_is_one_sentence() -> None:
    Path(".env").write_bytes(b"TELEGRAM_TOKEN=\xff\xfe")
    with pytest.raises(BadSettings, match=r"^\.env cannot be read"):
        Settings.read()


def test_a_line_of_the_env_file_that_says_nothing_is_named_but_not_its_words() -> None:
    Path(".env").write_text("# the bot's\nTELEGRAM TOKEN=1:hush\n\nLIKENESS_PACE=hurried\n")
    said = _refusal_that_names_each_once("TELEGRAM_TOKEN", ".env, line 2", "LIKENESS_PACE")
    assert "it is not NAME=value" in said
    assert "hush" not in said


def test_an_env_file_that_may_not_be_read_is_not_called_no_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path(".env").write_text("LIKENESS_PACE=off\n")

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("builtins.open", refused)
    with pytest.raises(BadSettings, match=r"^\.env cannot be read: Permission denied\.$"):
        Settings.read()


def test_how_it_behaves_is_set_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIKENESS_PAUSE_SECONDS", "2.5")
    monkeypatch.setenv("LIKENESS_PACE", "quick")
    monkeypatch.setenv("LIKENESS_ANSWER_WITHIN_SECONDS", "60")
    monkeypatch.setenv("LIKENESS_CATCH_UP", "0")
    monkeypatch.setenv("LIKENESS_MOST_ANSWERS", "7")
    settings = Settings.read()
    assert settings.manner == Manner(pause_seconds=2.5, pace="quick", answer_within_seconds=60)
    assert (settings.catch_up, settings.most_answers) == (0, 7)


def test_behaviour_that_does_not_fit_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIKENESS_PACE", "hurried")
    monkeypatch.setenv("LIKENESS_PAUSE_SECONDS", "-1")
    with pytest.raises(BadSettings, match=r"LIKENESS_PAUSE_SECONDS .*LIKENESS_PACE "):
        Settings.read()


def test_the_key_of_an_engine_s_server_is_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIKENESS_ENGINE_URL", "http://localhost:8000/v1/")
    monkeypatch.setenv("LIKENESS_ENGINE_KEY", "sk-hidden")
    settings = Settings.read()
    assert settings.engine_url == "http://localhost:8000/v1"
    assert settings.engine_key
    assert settings.engine_key.get_secret_value() == "sk-hidden"
    assert "sk-hidden" not in repr(settings)


def test_who_owns_the_bot_and_who_may_talk_to_it_is_told_platform_by_platform(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LIKENESS_OWNER", "telegram:1, discord:2")
    monkeypatch.setenv("LIKENESS_ALLOW", "telegram:-100,discord:everyone")
    monkeypatch.setenv("LIKENESS_ALIASES", "Rob, Bobby B.")
    settings = Settings.read()
    assert (settings.owners("telegram"), settings.owners("discord")) == ({"1"}, {"2"})
    assert (settings.allowed("telegram"), settings.allowed("discord")) == ({"-100"}, {"everyone"})
    assert settings.called == ["Rob", "Bobby B."]
    monkeypatch.setenv("LIKENESS_ALLOW", "everyone")
    assert Settings.read().allowed("telegram") == {"everyone"}


@pytest.mark.parametrize("ids", ["123", "signal:1", "telegram:@ann", "telegram:"])
def test_an_id_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch, ids: str) -> None:
    monkeypatch.setenv("LIKENESS_OWNER", ids)
    with pytest.raises(BadSettings, match=r"LIKENESS_OWNER must be ids like telegram:123"):
        Settings.read()


@pytest.mark.parametrize("ids", ["everyone", "telegram:1, everyone", "discord:everyone"])
def test_not_everyone_can_own_the_bot(monkeypatch: pytest.MonkeyPatch, ids: str) -> None:
    monkeypatch.setenv("LIKENESS_OWNER", ids)
    with pytest.raises(BadSettings, match=r"LIKENESS_OWNER must name people"):
        Settings.read()


def test_a_misspelt_name_is_a_fault_wherever_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("LIKENESS_CHATTINES=lively\nLIKENESS_PACE=off\nOTHER_THING=1\n")
    monkeypatch.setenv("LIKENESS_WHATEVER_ELSE", "1")
    with pytest.raises(BadSettings) as found:
        Settings.read()
    assert str(found.value).endswith(
        "LIKENESS_CHATTINES is no setting (did you mean LIKENESS_CHATTINESS?); "
        "LIKENESS_WHATEVER_ELSE is no setting."
    )


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("LIKENESS_PAUSE", "LIKENESS_PAUSE_SECONDS"),
        ("LIKENESS_DISCORD", "LIKENESS_DISCORD_SHARDS or LIKENESS_DISCORD_READS"),
    ],
)
def test_of_a_name_that_is_cut_short_the_whole_is_said(
    monkeypatch: pytest.MonkeyPatch, name: str, meant: str
) -> None:
    monkeypatch.setenv(name, "3")
    with pytest.raises(BadSettings) as found:
        Settings.read()
    assert str(found.value).endswith(f"{name} is no setting (did you mean {meant}?).")


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("LIKENESS_PACE", "slow", "should be 'off', 'quick' or 'natural'."),
        ("LIKENESS_PAUSE_SECONDS", "x", "should be a valid number."),
        ("TELEGRAM_TOKEN", "1:hu\tsh", "must be one word, and there is a blank"),
        ("DISCORD_TOKEN", "hu\nsh", "must be one word, and there is a blank"),
        ("DISCORD_TOKEN", "hu\x7fsh", "must be one word, and there is a blank"),
    ],
)
def test_why_a_value_does_not_fit_is_said_in_plain_words(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(BadSettings) as found:
        Settings.read()
    assert f" do not fit: {name} {says}" in str(found.value)
    assert "hu" not in str(found.value)


def test_more_answers_at_once_than_a_database_can_count_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LIKENESS_MOST_ANSWERS", str(10**20))
    with pytest.raises(BadSettings, match=r"LIKENESS_MOST_ANSWERS .*1000000"):
        Settings.read()
