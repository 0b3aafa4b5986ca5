"""Plots: round numbers at their axes, and what they show in words."""

import re

from hypothesis import given
from hypothesis import strategies as st

from training.plots import _ticks, curves, shares


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6))
def test_ticks_hold_all_that_is_drawn(least: float, span: float) -> None:
    ticks = _ticks(least, least + span)
    slack = 1e-6 * (abs(least) + span + 1)
    assert ticks[0] <= least + slack
    assert ticks[-1] >= least + span - slack
    assert 2 <= len(ticks) <= 8


def test_a_curve_of_one_point_is_drawn() -> None:
    assert "<circle" in curves([("loss", "me", [(0, 2.5)])], "steps")


def test_lines_of_a_flat_curve_have_labels_of_their_own() -> None:
    for level in (0.0, 1.3486, 7.125, -3.0):
        labels = re.findall(r'text-anchor="end">([^<]+)<', curves([("x", "me", [(0, level)])], "n"))
        axis = labels[:-1]  # the last one is the step at the right
        assert len(axis) == len(set(axis)) >= 2


def test_the_middle_of_a_short_run_is_no_whole_step() -> None:
    drawn = curves([("loss", "me", [(0, 3), (1, 2)])], "steps")
    assert re.findall(r">([\d.]+)</text>", drawn)[-3:] == ["0", "0.5", "1"]
    assert ">30,000<" in curves([("loss", "me", [(0, 3), (60_000, 2)])], "steps")


def test_whoever_hears_a_plot_learns_what_it_shows() -> None:
    drawn = curves([("training & co", "me", [(0, 3.25), (8, 2.5)])], "steps")
    assert 'aria-label="training &amp; co: 3.25 to 2.5; over 0 to 8 steps"' in drawn
    drawn = shares(["0", "1+"], [0.25, 0.75], [1, 0])
    assert 'aria-label="0: me 25%, the model 100%; 1+: me 75%, the model 0%"' in drawn
