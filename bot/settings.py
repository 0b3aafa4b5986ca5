"""Where a deployment finds things: read once, from the environment and `.env`."""

import difflib
import re
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    SettingsConfigDict,
)

from bot.access import EVERYONE
from bot.env_file import unread
from bot.pace import Chattiness, Manner, Pace
from likeness.errors import BadSettings


def _address(*schemes: str) -> Callable[[str], str]:
    def check(url: str) -> str:
        scheme, found, rest = url.partition("://")
        if scheme not in schemes or not found or not rest:
            raise ValueError(f"must be a URL that begins with {' or '.join(schemes)}")
        return url.rstrip("/")

    return check


def _database(url: str) -> str:
    from bot.store.databases import parsed  # noqa: PLC0415 (loads SQLAlchemy)

    parsed(url)
    return url


def _ids(value: str) -> str:
    for part in _parts(value):
        platform, found, id_ = part.partition(":")
        if part != EVERYONE and not (
            found and platform in PLATFORMS and (id_ == EVERYONE or _ID.fullmatch(id_))
        ):
            raise ValueError("must be ids like telegram:123,discord:456")
    return value


def _owners(value: str) -> str:
    if any(part.rpartition(":")[2] == EVERYONE for part in _parts(value)):
        raise ValueError("must name people: not everyone can own the bot")
    return _ids(value)


def _parts(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]


def _of(platform: str, value: str) -> frozenset[str]:
    named = (part.rpartition(":") for part in _parts(value))
    return frozenset(id_ for where, _, id_ in named if where in ("", platform))


def _stripped(token: object) -> object:
    return token.strip() or None if isinstance(token, str) else token


def _one_word(token: object) -> object:
    token = _stripped(token)
    if isinstance(token, str) and any(
        letter.isspace() or not letter.isprintable() for letter in token
    ):
        raise ValueError("must be one word, and there is a blank or a control character in it")
    return token


PLATFORMS = ("telegram", "discord")
_OURS = "LIKENESS_"
_ID = re.compile(r"-?\d+")
web_url = _address("https", "http")
"""Returns an address of the web without a slash at its end; raises ValueError if it is none."""
_WebUrl = Annotated[str, AfterValidator(web_url)]
_Ids = Annotated[str, AfterValidator(_ids)]
_Owners = Annotated[str, AfterValidator(_owners)]
_Token = Annotated[SecretStr | None, BeforeValidator(_one_word)]
_AnyToken = Annotated[SecretStr | None, BeforeValidator(_stripped)]

_WHERE_TOKENS_COME_FROM = {
    "telegram": "TELEGRAM_TOKEN is missing (write /newbot to @BotFather in Telegram to get one)",
    "discord": (
        "DISCORD_TOKEN is missing (make a bot at https://discord.com/developers/applications)"
    ),
}


class _Tokens(BaseSettings):
    """The tokens as they stand: one that does not fit is there all the same."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    telegram_token: _AnyToken = None
    discord_token: _AnyToken = None

    def token(self, platform: str) -> SecretStr | None:
        """Return the bot's token on a platform."""
        return {"telegram": self.telegram_token, "discord": self.discord_token}[platform]


class Settings(_Tokens):
    """What the environment says; a variable that is set but empty counts as not set.

    Attributes:
        telegram_token: `TELEGRAM_TOKEN`, from @BotFather.
        discord_token: `DISCORD_TOKEN`, from the developer portal.
        database: `LIKENESS_DATABASE`, any async URL of SQLAlchemy; `repr` hides it, for it may
            hold a password.
        telegram_base_url: `TELEGRAM_BASE_URL`, of a Bot API server; always ends with `/bot`, to
            which the token is put.
        discord_api_url: `DISCORD_API_URL` with its version, None for Discord's own.
        discord_gateway_url: `DISCORD_GATEWAY_URL`, None for Discord's own.
        pause_seconds: `LIKENESS_PAUSE_SECONDS`, how long nobody may write before it answers.
        pace: `LIKENESS_PACE`, how fast it seems to type a burst: `off`, `quick` or `natural`.
        answer_within_seconds: `LIKENESS_ANSWER_WITHIN_SECONDS`; what is older, as after an
            outage, is not answered any more.
        catch_up: `LIKENESS_CATCH_UP`, how many missed messages a Discord channel are looked up
            after an outage, 0 for none.
        most_answers: `LIKENESS_MOST_ANSWERS`, how many chats a platform may have answered at
            once; further ones wait.
        discord_shards: `LIKENESS_DISCORD_SHARDS`, over how many connections Discord is heard; 0 for
            as many as Discord recommends, None for one.
        discord_reads: `LIKENESS_DISCORD_READS`, whether to ask for the right to read messages that
            are not for the bot: `all` or `mentions`.
        webhook_url: `LIKENESS_WEBHOOK_URL`, which Telegram calls; None to fetch by itself.
        webhook_host: `LIKENESS_WEBHOOK_HOST`, where the bot listens for those calls.
        webhook_port: `LIKENESS_WEBHOOK_PORT`, likewise.
        health_port: `LIKENESS_HEALTH_PORT`, where this machine may ask how it is; None for nowhere.
        engine_url: `LIKENESS_ENGINE_URL`, a completions server that computes the model; None for
            this process.
        engine_key: `LIKENESS_ENGINE_KEY`, what that server asks for.
        never_say: `LIKENESS_NEVER_SAY`, a file of words and sentences that no message may hold.
        log: `LIKENESS_LOG`, how log lines are written: `text` or `json`.
        owner: `LIKENESS_OWNER`, the ids of those who own the bot.
        allow: `LIKENESS_ALLOW`, the ids of people, chats, servers and roles who may talk to it.
        aliases: `LIKENESS_ALIASES`, what people call whom it imitates, apart from the whole name;
            without any, the first word of that.
        chattiness: `LIKENESS_CHATTINESS`, how often it chimes in, in groups.
        person_rate: `LIKENESS_PERSON_RATE`, how many answers a minute one person may ask for.
        chat_rate: `LIKENESS_CHAT_RATE`, the same of one chat.
    """

    telegram_token: _Token = None
    discord_token: _Token = None
    database: Annotated[str, AfterValidator(_database)] = Field(
        default="sqlite+aiosqlite:///likeness.db",
        validate_default=False,
        validation_alias="LIKENESS_DATABASE",
        repr=False,
    )
    telegram_base_url: Annotated[
        _WebUrl,
        AfterValidator(lambda url: url if url.endswith("/bot") else f"{url}/bot"),
    ] = "https://api.telegram.org/bot"
    discord_api_url: _WebUrl | None = None
    discord_gateway_url: Annotated[str, AfterValidator(_address("wss", "ws"))] | None = None

    pause_seconds: float = Field(
        default=1.0, ge=0, le=10, validation_alias="LIKENESS_PAUSE_SECONDS"
    )
    pace: Pace = Field(default="natural", validation_alias="LIKENESS_PACE")
    answer_within_seconds: float = Field(
        default=86_400,
        ge=0,
        le=10 * 366 * 86_400,
        validation_alias="LIKENESS_ANSWER_WITHIN_SECONDS",
    )
    catch_up: int = Field(default=100, ge=0, le=10_000, validation_alias="LIKENESS_CATCH_UP")
    most_answers: int = Field(
        default=1000, ge=1, le=1_000_000, validation_alias="LIKENESS_MOST_ANSWERS"
    )
    discord_shards: int | None = Field(
        default=None, ge=0, validation_alias="LIKENESS_DISCORD_SHARDS"
    )
    discord_reads: Literal["all", "mentions"] = Field(
        default="all", validation_alias="LIKENESS_DISCORD_READS"
    )
    webhook_url: _WebUrl | None = Field(default=None, validation_alias="LIKENESS_WEBHOOK_URL")
    webhook_host: str = Field(default="127.0.0.1", validation_alias="LIKENESS_WEBHOOK_HOST")
    webhook_port: int = Field(
        default=8080, ge=1, le=65_535, validation_alias="LIKENESS_WEBHOOK_PORT"
    )
    health_port: int | None = Field(
        default=None, ge=0, le=65_535, validation_alias="LIKENESS_HEALTH_PORT"
    )
    engine_url: _WebUrl | None = Field(default=None, validation_alias="LIKENESS_ENGINE_URL")
    engine_key: _Token = Field(default=None, validation_alias="LIKENESS_ENGINE_KEY")
    never_say: Path | None = Field(default=None, validation_alias="LIKENESS_NEVER_SAY")
    log: Literal["text", "json"] = Field(default="text", validation_alias="LIKENESS_LOG")

    owner: _Owners = Field(default="", validation_alias="LIKENESS_OWNER")
    allow: _Ids = Field(default="", validation_alias="LIKENESS_ALLOW")
    aliases: str = Field(default="", validation_alias="LIKENESS_ALIASES")
    chattiness: Chattiness = Field(default="silent", validation_alias="LIKENESS_CHATTINESS")
    person_rate: float = Field(default=20, ge=0, validation_alias="LIKENESS_PERSON_RATE")
    chat_rate: float = Field(default=60, ge=0, validation_alias="LIKENESS_CHAT_RATE")

    def owners(self, platform: str) -> frozenset[str]:
        """Return the ids of those who own the bot on a platform."""
        return _of(platform, self.owner)

    def allowed(self, platform: str) -> frozenset[str]:
        """Return the ids of those who may talk to it there."""
        return _of(platform, self.allow)

    @property
    def called(self) -> list[str]:
        """What people call whom the bot imitates."""
        return _parts(self.aliases)

    @property
    def manner(self) -> Manner:
        """How the bot behaves in a chat."""
        return Manner(
            pause_seconds=self.pause_seconds,
            pace=self.pace,
            answer_within_seconds=self.answer_within_seconds,
            chattiness=self.chattiness,
        )

    @classmethod
    def read(cls, platforms: Collection[str] = ()) -> "Settings":
        """Read the environment and `.env` in the working folder.

        Args:
            platforms: Those that are asked for, `telegram` and `discord`; each needs its token.

        Raises:
            BadSettings: Something lacks or does not fit; the sentence names every fault at once.
        """
        faults: list[str] = []
        try:
            faults += missing_tokens(_Tokens(), platforms)
            faults += unread(Path(".env"))
            faults += _unknown(_names(cls))
            settings = cls()
        except ValidationError as error:
            faults += [_fault(problem) for problem in error.errors()]
        except UnicodeDecodeError as error:
            raise BadSettings(".env cannot be read: it must be a text file in UTF-8.") from error
        except OSError as error:
            raise BadSettings(f".env cannot be read: {error.strerror}.") from error
        if faults:
            raise BadSettings(
                f"The environment and .env do not fit: {'; '.join(faults)}."
            ) from None
        return settings


def missing_tokens(tokens: _Tokens, platforms: Collection[str]) -> list[str]:
    """Return, platform by platform, that there is no token and where to get one."""
    return [
        _WHERE_TOKENS_COME_FROM[name]
        for name in PLATFORMS
        if name in platforms and not tokens.token(name)
    ]


def _names(kind: type[Settings]) -> set[str]:
    """Return all names in the environment and `.env`, in capital letters."""
    sources = EnvSettingsSource(kind), DotEnvSettingsSource(kind)
    return {name.upper() for source in sources for name in source.env_vars}


def _unknown(names: Collection[str]) -> list[str]:
    """Return what is wrong with names that begin as ours do: a misspelt one would say nothing."""
    known = [str(field.validation_alias) for field in Settings.model_fields.values()]
    strange = [name for name in names if name.startswith(_OURS) and name not in known]
    return [f"{name} is no setting{_meant(name, known)}" for name in sorted(strange)]


def _meant(name: str, known: list[str]) -> str:
    longer = [one for one in known if one.startswith(f"{name}_")]
    near = longer or difflib.get_close_matches(name, known, n=1, cutoff=0.85)
    return f" (did you mean {' or '.join(near)}?)" if near else ""


def _fault(problem: ErrorDetails) -> str:
    says = problem["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return f"{str(problem['loc'][0]).upper()} {says.partition(', unable to parse')[0]}"
