"""How long a message seems to be typed."""

from bot.pace import Manner


def test_a_longer_text_is_typed_for_longer_up_to_a_limit() -> None:
    for pace in ("quick", "natural"):
        times = [Manner(pace=pace).typing_seconds("x" * length) for length in (1, 30, 1000, 2000)]
        assert 0 < times[0] < times[1] < times[2] == times[3] < 10


def test_quick_is_quicker_than_natural_and_off_does_not_wait() -> None:
    text = "see you at noon"
    quick, natural = (Manner(pace=pace).typing_seconds(text) for pace in ("quick", "natural"))
    assert 0 == Manner(pace="off").typing_seconds(text) < quick < natural
