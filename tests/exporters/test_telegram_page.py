"""A page of Telegram's HTML cut into entries: in blocks of any size, up to its damage."""

from functools import partial

import pytest

from exporters import telegram_page
from likeness.errors import DamagedSource
from likeness.messages import Rejected
from tests.exporters.telegram_pages import message, page, read_pages, said, words


@pytest.fixture
def read(tmp_path):
    """Return a function that writes files and reads all pages among them."""
    return partial(read_pages, tmp_path / "export")


def test_what_is_whole_before_a_page_breaks_off_is_kept(read):
    whole = page(message(1), message(2), end="")
    records, (reading,) = read(whole)
    assert len(records) == 2
    assert "cut short" in reading.remarks[0]
    records, _ = read(whole[:-20])
    assert said(records) == [("Mira", "t1")]
    assert records[1:] == [Rejected("after record 1", "the file breaks off or is damaged here")]
    with pytest.raises(DamagedSource, match="before its first message"):
        read(page(message(1), end="")[:-20])


def test_an_entry_whose_end_is_missing_costs_only_itself(read):
    records, _ = read(page(message(1), message(2).replace("</div>", ""), message(3)))
    assert records[1] == Rejected("message 2", "its end is missing")
    assert said(records) == [("Mira", "t1"), ("Mira", "t3")]


@pytest.mark.parametrize("size", [1, 7, 300])
def test_a_page_is_read_in_blocks_of_any_size(read, monkeypatch, size):
    monkeypatch.setattr(telegram_page, "_BLOCK_BYTES", size)
    records, _ = read(page(*(message(n, words("ä" * 50)) for n in range(5))))
    assert said(records) == [("Mira", "ä" * 50)] * 5


def test_an_entry_without_an_end_in_sight_is_given_up(read):
    endless = message(1, words("x" * 400_000))
    assert said(read(page(endless, message(2)))[0]) == [("Mira", "t2")]
