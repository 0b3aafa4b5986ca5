"""What the bot tells of its work, to whoever counts it: places and times, nobody's words."""


class Watch:
    """Is told what happens, and does nothing; `bot.metrics.Metrics` counts."""

    def connected(self, platform: str, *, up: bool) -> None:
        """Be told that a platform can be reached, or not any more."""

    def heard(self, platform: str) -> None:
        """Be told of a message that was kept."""

    def answered(self, platform: str, seconds: float) -> None:
        """Be told of an answer whose first message was sent.

        Args:
            platform: Where.
            seconds: Since the person seemed done.
        """

    def failed(self, platform: str) -> None:
        """Be told of an answer that the model or the platform made impossible."""
