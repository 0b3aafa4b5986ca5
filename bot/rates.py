"""How much one person and one chat may ask for: a bucket of tokens each."""

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass

MANY = 10_000
"""With so many buckets, those that are full again are thrown away."""


@dataclass(slots=True)
class _Bucket:
    tokens: float
    seen_at: float
    told: bool = False


class Rate:
    """So many a minute for each key, and as many at once, but one at the least.

    Source: the token bucket, as in ITU-T I.371.
    """

    def __init__(self, per_minute: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Take how many; 0 for no limit."""
        self._per_minute = per_minute
        self._room = max(1.0, per_minute)
        self._clock = clock
        self._buckets: dict[Hashable, _Bucket] = {}

    def left(self, key: Hashable) -> bool:
        """Return whether one more is allowed."""
        return not self._per_minute or self._filled(key).tokens >= 1

    def take(self, key: Hashable) -> None:
        """Count one."""
        if self._per_minute:
            bucket = self._filled(key)
            bucket.tokens -= 1
            bucket.told = False

    def tell(self, key: Hashable) -> bool:
        """Return whether to say that there is too much: once until something is allowed again."""
        bucket = self._filled(key)
        told, bucket.told = bucket.told, True
        return not told

    def _filled(self, key: Hashable) -> _Bucket:
        now = self._clock()
        bucket = self._buckets.get(key)
        if bucket is None:
            self._tidy(now)
            bucket = self._buckets[key] = _Bucket(self._room, now)
        bucket.tokens = self._tokens(bucket, now)
        bucket.seen_at = now
        return bucket

    def _tokens(self, bucket: _Bucket, now: float) -> float:
        gained = (now - bucket.seen_at) * self._per_minute / 60
        return min(self._room, bucket.tokens + gained)

    def _tidy(self, now: float) -> None:
        if len(self._buckets) >= MANY:
            self._buckets = {
                key: bucket
                for key, bucket in self._buckets.items()
                if self._tokens(bucket, now) < self._room
            }
