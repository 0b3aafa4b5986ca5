"""Where a deployment finds things: read once, from the environment and `.env`."""

from collections.abc import Collection
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.pace import Manner, Pace
from likeness.errors import BadSettings


def _url(*schemes: str) -> AfterValidator:
    def check(url: str) -> str:
        scheme, found, rest = url.partition("://")
        if scheme not in schemes or not found or not rest:
            raise ValueError(f"must be a URL that begins with {' or '.join(schemes)}")
        return url.rstrip("/")

    return AfterValidator(check)


def _database(url: str) -> str:
    dialect, found, _ = url.partition("://")
    if not found or "+" not in dialect:
        raise ValueError("must be a URL like sqlite+aiosqlite:///likeness.db")
    return url


def _no_blanks(token: object) -> object:
    return (token.strip() or None) if isinstance(token, str) else token


_Token = Annotated[SecretStr | None, BeforeValidator(_no_blanks)]

_WHERE_TOKENS_COME_FROM = {
    "telegram": "TELEGRAM_TOKEN is missing (write /newbot to @BotFather in Telegram to get one)",
    "discord": (
        "DISCORD_TOKEN is missing (make a bot at https://discord.com/developers/applications)"
    ),
}


class _Tokens(BaseSettings):
    model_config = SettingsConfigDict(
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    telegram_token: _Token = None
    discord_token: _Token = None


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
        health_port: `LIKENESS_HEALTH_PORT`, where this machine may ask how it is; None for nowhere.
        log: `LIKENESS_LOG`, how log lines are written: `text` or `json`.
    """

    database: Annotated[str, AfterValidator(_database)] = Field(
        default="sqlite+aiosqlite:///likeness.db", validation_alias="LIKENESS_DATABASE", repr=False
    )
    telegram_base_url: Annotated[
        str,
        _url("https", "http"),
        AfterValidator(lambda url: url if url.endswith("/bot") else f"{url}/bot"),
    ] = "https://api.telegram.org/bot"
    discord_api_url: Annotated[str, _url("https", "http")] | None = None
    discord_gateway_url: Annotated[str, _url("wss", "ws")] | None = None

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
    most_answers: int = Field(default=1000, ge=1, validation_alias="LIKENESS_MOST_ANSWERS")
    health_port: int | None = Field(
        default=None, ge=0, le=65_535, validation_alias="LIKENESS_HEALTH_PORT"
    )
    log: Literal["text", "json"] = Field(default="text", validation_alias="LIKENESS_LOG")

    @property
    def manner(self) -> Manner:
        """How the bot behaves in a chat."""
        return Manner(
            pause_seconds=self.pause_seconds,
            pace=self.pace,
            answer_within_seconds=self.answer_within_seconds,
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
            faults += _missing(_Tokens(), platforms)
            settings = cls()
        except ValidationError as error:
            faults += [_fault(problem) for problem in error.errors()]
        except (OSError, UnicodeDecodeError) as error:
            raise BadSettings(".env cannot be read: it must be a text file in UTF-8.") from error
        if faults:
            raise BadSettings(
                f"The environment and .env do not fit: {'; '.join(faults)}."
            ) from None
        return settings


def _missing(tokens: _Tokens, platforms: Collection[str]) -> list[str]:
    have = {"telegram": tokens.telegram_token, "discord": tokens.discord_token}
    return [_WHERE_TOKENS_COME_FROM[name] for name in have if name in platforms and not have[name]]


def _fault(problem: ErrorDetails) -> str:
    return f"{str(problem['loc'][0]).upper()} {problem['msg'].removeprefix('Value error, ')}"
