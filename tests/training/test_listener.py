"""What others wrote is kept, however much it is, and what I wrote as well is not."""

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from likeness.quotes import FILE_NAME, OthersWords, runs
from training import listener as listening
from training.listener import Listener

SECRET = "between us: the key to the cabin is under the third stone"
SONG = "never gonna give you up never gonna let you down"
TEXTS = st.lists(st.lists(st.sampled_from("abc"), max_size=14).map(" ".join), max_size=12)


def heard(folder: Path, others: list[str], mine: list[str]) -> OthersWords:
    listener = Listener(folder)
    for texts, outgoing in ((others, False), (mine, True)):
        for text in texts:
            listener.hear(text, mine=outgoing)
    listener.keep_others(folder)
    return OthersWords.load(folder)


def test_what_i_said_as_well_is_mine(tmp_path: Path) -> None:
    both = heard(tmp_path, [SECRET, SONG], [SECRET])
    assert not both.quoted_in(SECRET)
    assert both.quoted_in(SONG)


def test_it_is_kept_for_its_owner_alone_and_holds_no_words(tmp_path: Path) -> None:
    heard(tmp_path, [SECRET], [])
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600
    assert b"cabin" not in (tmp_path / FILE_NAME).read_bytes()


def test_what_a_base_keeps_of_others_is_kept_on(tmp_path: Path) -> None:
    folder = tmp_path / "base"
    folder.mkdir()
    heard(folder, [SECRET, SONG], [])
    listener = Listener(tmp_path)
    listener.recall(folder)
    listener.recall(tmp_path / "nowhere")
    listener.hear(SONG, mine=True)
    listener.keep_others(tmp_path)
    others = OthersWords.load(tmp_path)
    assert others.quoted_in(SECRET)
    assert not others.quoted_in(SONG)


def test_what_a_run_keeps_of_others_is_kept_on_where_its_checkpoint_is_the_base(
    tmp_path: Path,
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    heard(run, [SECRET], [])
    listener = Listener(tmp_path)
    listener.recall(run / "checkpoint-12")
    listener.keep_others(tmp_path)
    assert OthersWords.load(tmp_path).quoted_in(SECRET)


def test_who_heard_nothing_keeps_nothing(tmp_path: Path) -> None:
    assert not heard(tmp_path, [], []).quoted_in(SECRET)
    assert (tmp_path / FILE_NAME).read_bytes() == b""


@given(TEXTS, TEXTS, st.integers(1, 9))
def test_the_file_holds_each_run_of_others_alone_once_and_in_order(
    tmp_path_factory: pytest.TempPathFactory, others: list[str], mine: list[str], at_once: int
) -> None:
    folder = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(listening, "_AT_ONCE", at_once)
        heard(folder, others, mine)
    left = {run for text in others for run in runs(text)}
    left -= {run for text in mine for run in runs(text)}
    expected = b"".join(run.to_bytes(8, "little") for run in sorted(left))
    assert (folder / FILE_NAME).read_bytes() == expected
