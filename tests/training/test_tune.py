"""Choosing how a model replies: by what its replies have in common with mine."""

import errno
import random
import stat
import statistics
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from likeness.card import RunCard
from likeness.errors import ModelNotFound
from likeness.messages import Message
from training.config import TrainConfig
from training.last_lesson import teach_held_out
from training.measures import distinct_pairs, measures, misfit, repetition, unheard, vocabulary
from training.moments import (
    Moment,
    draw_moments,
    keep_moments,
    keep_words,
    read_moments,
    read_words,
)
from training.portions import portions
from training.run import train
from training.survey import survey
from training.tune import Grid, Setting, Trial, best_of, keep, tune

pytestmark = pytest.mark.slow

Say = Callable[..., Message]
Write = Callable[[Iterable[Message]], Path]

REPLIES = st.lists(
    st.lists(st.text(st.sampled_from("ab 🙂"), max_size=12), min_size=1, max_size=3),
    min_size=1,
    max_size=8,
)


def test_measures_count_letters_messages_and_emoji() -> None:
    assert measures(["abc 🙂🎉", "de"]) == {"characters": 8, "messages": 2, "emoji": 2}
    assert distinct_pairs([["a b a b"], ["a b"]]) == pytest.approx(2 / 4)
    assert repetition([["go on now, go on now,"], ["no"]]) == 0.5


@given(REPLIES)
def test_nobody_writes_differently_from_themselves(replies: list[list[str]]) -> None:
    assert set(misfit(replies, list(reversed(replies))).values()) == {0.0}


def test_each_measure_sees_what_differs_in_it_alone() -> None:
    mine = [["one two three four", "five"], ["six seven"], ["eight nine", "ten"]]
    longer = [["one two three four fourteen", "five"], ["six seventeen"], ["eight nine", "ten"]]
    found = misfit(mine, longer)
    assert found["characters"] > 0
    assert {found[name] for name in ("messages", "emoji", "repetition")} == {0.0}
    with_emoji = [["one two three fou🙂", "five"], ["six seven"], ["eight nine", "ten"]]
    found = misfit(mine, with_emoji)
    assert found["emoji"] > 0
    assert found["characters"] == 0


def test_the_setting_that_writes_most_like_me_is_found(say: Say) -> None:
    moments = [
        Moment([say("ann", f"how are you {n}")], [say("me", "fine " * (n % 4 + 1))])
        for n in range(12)
    ]
    asked: list[Setting] = []

    def write(setting: Setting) -> list[list[str]]:
        asked.append(setting)
        extra = round(10 * abs(setting.temperature - 0.8) + 10 * abs(setting.min_p - 0.2))
        return [["fine " * (n % 4 + 1 + extra)] for n in range(12)]

    grid = Grid((0.6, 0.8, 1.0), ((1.0, 0.1), (1.0, 0.2)))
    trials = list(tune(moments, write, grid))
    assert asked == [(0.6, 1, 0.1), (0.8, 1, 0.1), (1.0, 1, 0.1), (0.8, 1, 0.2)]
    assert len(asked) == grid.trials
    best = best_of(trials)
    assert (best.setting, best.sum, best.error) == ((0.8, 1, 0.2), 0, 0)


def test_of_settings_that_chance_may_part_the_most_careful_is_chosen() -> None:
    def trial(temperature: float, misfit: float, error: float) -> Trial:
        return Trial(Setting(temperature, 1.0, 0.1), {"emoji": misfit}, [], lambda: error)

    careful, wild = trial(0.7, 0.9, 0.3), trial(1.0, 0.7, 0.25)
    assert best_of([careful, wild]) is careful
    assert best_of([trial(0.5, 1.0, 0.9), careful, wild]) is careful
    sure = replace(wild, judge=lambda: 0.1)
    assert best_of([careful, sure]) is sure


def test_the_error_of_a_sum_is_how_far_others_of_its_kind_are(say: Say) -> None:
    dice = random.Random(3)  # noqa: S311 (no secret)

    def once(count: int) -> Trial:
        moments = [
            Moment([say("ann", "how are you")], [say("me", "a" * dice.randint(1, 40))])
            for _ in range(count)
        ]
        grid = Grid((1.0,), ((1.0, 0.1),))
        (found,) = tune(moments, lambda _: [["a" * dice.randint(20, 60)] for _ in moments], grid)
        return found

    drawn = [once(30) for _ in range(60)]
    spread = statistics.stdev(trial.sum for trial in drawn)
    assert 0.7 * spread < statistics.fmean(trial.error for trial in drawn) < 1.5 * spread
    assert once(120).error < 0.75 * statistics.fmean(trial.error for trial in drawn)


def test_who_makes_up_words_is_told_from_who_does_not() -> None:
    known = vocabulary(["Where's the TEA?", "we went home"])
    assert known == {"where's", "the", "tea", "we", "went", "home"}
    assert unheard(["the berrasor went", "home, plaped 3"], known) == 2
    mine, sober = [["we went hame"], ["tea?"]], [["went home we"], ["the?"]]
    assert misfit(mine, sober, known)["unheard words"] == 0
    assert misfit(mine, [["we went hogg"], ["tae?"]], known)["unheard words"] > 0
    assert "unheard words" not in misfit(mine, sober)


def test_the_words_that_taught_are_kept_for_later(tmp_path: Path) -> None:
    assert read_words(tmp_path) is None
    keep_words(tmp_path, vocabulary(["Tea, then!", "tea…", "çay"]))
    assert read_words(tmp_path) == {"tea", "then", "çay"}
    assert stat.S_IMODE((tmp_path / "words.txt").stat().st_mode) == 0o600


def test_moments_come_back_as_they_were_kept(
    chat: list[Message], write: Write, tmp_path: Path
) -> None:
    path, config = write(chat), TrainConfig(held_out_share=0.5)
    moments = draw_moments(portions(path, survey(path), config), 8, seed=0)
    assert moments
    keep_moments(tmp_path, moments)
    assert read_moments(tmp_path) == moments
    # What Python takes for the end of a line, and JSON does not.
    odd = replace(moments[0].mine[0], text="one\u2028two\u0085three")
    keep_moments(tmp_path, [Moment(moments[0].context, [odd])])
    assert read_moments(tmp_path)[0].mine == [odd]
    assert stat.S_IMODE((tmp_path / "moments.jsonl").stat().st_mode) == 0o600
    for damaged in ('{"context": 3}', '{"context": [], "mine": []}'):
        (tmp_path / "moments.jsonl").write_text(f"{damaged}\n")
        with pytest.raises(ModelNotFound, match=r"moments\.jsonl is missing or damaged"):
            read_moments(tmp_path)


def test_moments_that_may_not_be_read_are_not_called_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **_others: object) -> str:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "read_text", refused)
    with pytest.raises(ModelNotFound, match=r"moments\.jsonl cannot be read: Permission denied\."):
        read_moments(tmp_path)


def test_what_was_chosen_stands_in_the_card_and_in_the_report(
    chat: list[Message], write: Write, tiny: Callable[..., TrainConfig], memory: Any, tmp_path: Path
) -> None:
    run = tmp_path / "me"
    config = tiny("epochs=1", "held_out_share=0.3")
    train(write(chat), run, base="scratch", config=config, speaker=None, resume=False, watch=memory)
    trials = [
        Trial(Setting(0.7, 0.9, 0.0), {"characters": 0.5}, [["far off"]]),
        Trial(Setting(0.9, 0.8, 0.1), {"characters": 0.25}, [["quite like me"]]),
    ]
    card = keep(run, read_moments(run)[:1], trials)
    assert RunCard.read(run) == card
    assert card.sampling == {"temperature": 0.9, "top_p": 0.8, "min_p": 0.1}
    page = (run / "report.html").read_text(encoding="utf-8")
    assert (
        "<tr class=best><td>0.9</td><td>0.8</td><td>0.1</td><td>0.25</td><td>0.25</td></tr>" in page
    )
    assert "<td>0.7</td><td>0.9</td><td>0</td><td>0.50</td>" in page
    assert "quite like me" in page
    assert "far off" not in page
    assert "It had never seen any of these moments when it wrote this." in page


def test_the_page_says_whether_the_last_lesson_had_shown_the_moments(
    chat: list[Message], write: Write, tiny: Callable[..., TrainConfig], memory: Any, tmp_path: Path
) -> None:
    run, messages = tmp_path / "me", write(chat)
    config = tiny("epochs=1", "held_out_share=0.3")
    train(messages, run, base="scratch", config=config, speaker=None, resume=False, watch=memory)
    teach_held_out(messages, run, config, None)
    keep(run, read_moments(run)[:1], [Trial(Setting(0.7, 0.9, 0.0), {"characters": 0}, [["hi"]])])
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "It has seen each of these moments once, in its last lesson." in page
