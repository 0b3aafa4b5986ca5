"""So many a minute for each, and one word about it."""

from bot.rates import MANY, Rate


class Clock:
    """Stands still unless it is moved."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def taken(rate: Rate, key: str, tries: int) -> int:
    """Take as many as there are, and return how many that were."""
    count = 0
    for _ in range(tries):
        if rate.left(key):
            rate.take(key)
            count += 1
    return count


def test_as_many_as_are_allowed_a_minute_may_come_at_once_and_then_as_time_goes_by() -> None:
    clock = Clock()
    rate = Rate(6, clock)
    assert taken(rate, "ann", 20) == 6
    clock.seconds = 9.9
    assert taken(rate, "ann", 20) == 0
    clock.seconds = 20
    assert taken(rate, "ann", 20) == 2
    clock.seconds = 10_000
    assert taken(rate, "ann", 20) == 6


def test_less_than_one_a_minute_is_one_every_few_minutes() -> None:
    clock = Clock()
    rate = Rate(0.5, clock)
    assert taken(rate, "ann", 5) == 1
    clock.seconds = 119
    assert taken(rate, "ann", 5) == 0
    clock.seconds = 120
    assert taken(rate, "ann", 5) == 1
    clock.seconds = 10_000
    assert taken(rate, "ann", 5) == 1


def test_each_has_a_bucket_of_their_own() -> None:
    rate = Rate(1, Clock())
    assert taken(rate, "ann", 5) == taken(rate, "ben", 5) == 1


def test_nought_is_no_limit() -> None:
    assert taken(Rate(0, Clock()), "ann", 1000) == 1000


def test_it_is_told_once_until_something_is_allowed_again() -> None:
    clock = Clock()
    rate = Rate(1, clock)
    taken(rate, "ann", 1)
    assert [rate.tell("ann") for _ in range(3)] == [True, False, False]
    clock.seconds = 60
    taken(rate, "ann", 1)
    assert rate.tell("ann")


def test_the_buckets_of_those_who_left_are_thrown_away() -> None:
    clock = Clock()
    rate = Rate(1, clock)
    for number in range(MANY):
        rate.take(str(number))
    clock.seconds = 60
    rate.take("one more")
    assert len(rate._buckets) == 1
