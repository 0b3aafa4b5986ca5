"""The bot's work as numbers, in the form that Prometheus reads."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from bot.watch import Watch

SECONDS = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 40.0, 80.0)
"""The borders between which replies are counted by how long they took."""


class Metrics(Watch):
    """Counts what it is told."""

    def __init__(self) -> None:
        """Begin at zero, apart from whatever else this process counts."""
        by, registry = ["platform"], CollectorRegistry()
        self._registry = registry
        self._up: dict[str, bool] = {}
        self._connected = Gauge(
            "likeness_connected", "Whether the platform can be reached.", by, registry=registry
        )
        self._heard = Counter("likeness_messages_heard", "Messages kept.", by, registry=registry)
        self._answered = Counter(
            "likeness_answers", "Answers of which something was sent.", by, registry=registry
        )
        self._failed = Counter(
            "likeness_failures", "Answers that could not be given.", by, registry=registry
        )
        self._owed = Gauge(
            "likeness_chats_owed", "Chats that wait for an answer.", by, registry=registry
        )
        self._seconds = Histogram(
            "likeness_reply_seconds",
            "From when a person seems done until the first message is sent.",
            by,
            buckets=SECONDS,
            registry=registry,
        )

    def connected(self, platform: str, *, up: bool) -> None:
        """Note whether a platform can be reached."""
        self._up[platform] = up
        self._connected.labels(platform).set(up)

    def heard(self, platform: str) -> None:
        """Count a message."""
        self._heard.labels(platform).inc()

    def answered(self, platform: str, seconds: float) -> None:
        """Count an answer and its time."""
        self._answered.labels(platform).inc()
        self._seconds.labels(platform).observe(seconds)

    def failed(self, platform: str) -> None:
        """Count an answer that was not given."""
        self._failed.labels(platform).inc()

    def is_up(self, platform: str) -> bool:
        """Return whether a platform can be reached."""
        return self._up.get(platform, False)

    def page(self, owed: Mapping[str, int]) -> bytes:
        """Return all numbers as text.

        Args:
            owed: How many chats wait for an answer, by platform.
        """
        self._owed.clear()
        for platform in {*self._up, *owed}:
            self._owed.labels(platform).set(owed.get(platform, 0))
        return generate_latest(self._registry)
