"""The quiz: what is asked, what some right answers say, and a page that stands by itself."""

import json
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from likeness.messages import Message
from training.moments import Moment
from training.quiz import PAGE, Question, interval, leave_quiz, questions, verdict

Say = Callable[..., Message]


@pytest.fixture
def moments(say: Say) -> list[Moment]:
    return [Moment([say("Ann", f"hi {n}")], [say("me", f"hello {n}")]) for n in range(30)]


def the_models(count: int) -> list[list[str]]:
    return [[f"hey {n}", "you"] for n in range(count)]


def test_each_question_has_both_replies_and_says_which_is_mine(moments: list[Moment]) -> None:
    asked = questions(moments, the_models(30), 20, seed=1)
    assert len(asked) == 20
    for one in asked:
        number = str(one.context[0]["text"]).removeprefix("hi ")
        assert one.replies[one.mine] == [f"hello {number}"]
        assert one.replies[1 - one.mine] == [f"hey {number}", "you"]
    assert sum(one.mine for one in asked) == 10


def test_a_seed_draws_the_same_quiz_and_another_one_another(moments: list[Moment]) -> None:
    first, again, other = (questions(moments, the_models(30), 9, seed) for seed in (4, 4, 5))
    assert first == again != other


def test_where_both_say_the_same_or_one_nothing_nothing_is_asked(
    moments: list[Moment], say: Say
) -> None:
    silent = Moment([say("Ann", "hm")], [say("me", "", kind="media")])
    spaced = Moment([say("Ann", "so")], [say("me", "yes ")])
    few = [*moments[:3], silent, spaced]
    written = [["hello 0"], [], ["other"], ["other"], ["yes"]]
    (only,) = questions(few, written, 20, seed=0)
    assert only.context[0]["text"] == "hi 2"


@given(st.integers(1, 500), st.data())
def test_the_interval_holds_what_was_found_and_narrows(of: int, data: st.DataObject) -> None:
    right = data.draw(st.integers(0, of))
    low, high = interval(right, of)
    assert 0 <= low <= right / of + 1e-9
    assert right / of - 1e-9 <= high <= 1
    closer = interval(4 * right, 4 * of)
    assert closer[1] - closer[0] < high - low
    mirrored = interval(of - right, of)
    assert mirrored == pytest.approx((1 - high, 1 - low))


def test_the_interval_is_wilsons() -> None:
    """Against figures worked out by hand."""
    assert interval(10, 20) == pytest.approx((0.2993, 0.7007), abs=1e-4)
    assert interval(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)


@pytest.mark.parametrize(
    ("right", "says"),
    [(20, "you do tell Ann from"), (14, "do not show whether you can"), (2, "for Ann more often")],
)
def test_a_verdict_says_what_the_answers_show(right: int, says: str) -> None:
    assert says in verdict(right, 20, "Ann")


def test_the_page_stands_by_itself_whatever_people_wrote(tmp_path: Path) -> None:
    nasty = "</script><b>\u2028 & 'x' \"y\" <!-- 👩\u200d🚀"
    told: list[dict[str, Any]] = [{"speaker": nasty, "mine": False, "text": nasty}]
    page = leave_quiz(tmp_path, nasty, [Question([*told], ([nasty], ["b"]), 0)], seen=True)
    assert page == tmp_path / PAGE
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"https?://|@import|url\(|\bsrc=|\bhref=", text)
    assert text.count("</script>") == 2
    assert "<b>" not in text
    embedded = re.search(r"id='data'>(.*?)</script>", text, re.DOTALL)
    assert embedded
    data = json.loads(embedded[1])
    assert data["questions"] == [{"context": told, "replies": [[nasty], ["b"]], "mine": 0}]
    assert data["verdicts"] == [verdict(right, 1, nasty) for right in (0, 1)]
    assert "has seen these moments once" in text


def test_a_key_with_others_held_or_held_too_long_is_no_guess(tmp_path: Path) -> None:
    page = leave_quiz(tmp_path, "Ann", [Question([], (["a"], ["b"]), 0)], seen=False)
    [pressed] = re.findall(r"'keydown', pressed => \{(.*?)\n\}\)", page.read_text(), re.DOTALL)
    for what in ("ctrlKey", "altKey", "metaKey", "repeat"):
        assert f"pressed.{what}" in pressed


def test_the_next_question_is_read_from_its_beginning(tmp_path: Path) -> None:
    """By whoever hears the page, and on a phone, whose screen is still at the button below."""
    page = leave_quiz(tmp_path, "Ann", [Question([], (["a"], ["b"]), 0)], seen=False).read_text()
    [after] = re.findall(r"next\.onclick = \(\) => \{(.*?)\n\};", page, re.DOTALL)
    assert re.search(r"ask\(\);\s+return where\.focus\(\);", after)
    assert after.rstrip().endswith("where.focus();")
    assert "id='where' tabindex='-1'" in page


def test_a_page_whose_script_does_not_run_says_what_to_do(tmp_path: Path) -> None:
    page = leave_quiz(tmp_path, "Ann", [Question([], (["a"], ["b"]), 0)], seen=False).read_text()
    assert ">Open this page in a browser: it needs JavaScript.</p>" in page
