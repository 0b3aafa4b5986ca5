"""Two chats of one name are told as such; exports of one chat are not."""

from datetime import UTC, datetime

import pytest

from exporters.options import ExportOptions
from exporters.run import export
from exporters.selection import Selection

NAME = "WhatsApp Chat with Ann.txt"


def chat(*days, who="Ann"):
    return "".join(f"{day:02}/03/2022, 14:56 - {who}: t{day}\n" for day in days)


def remarks(tmp_path, one, other, **options):
    for folder, text in (("a", one), ("b", other)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / NAME).write_text(text, "utf-8")
    paths = [tmp_path / folder / NAME for folder in "ab"]
    account = export(paths, tmp_path / "out", ExportOptions(UTC, "UTC", ("Jo",), **options))
    return [remark for source in account.sources for remark in source.remarks if "name" in remark]


EVER = Selection(since=datetime(1, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("options", [{}, {"selection": EVER}])
def test_two_chats_at_one_time_that_share_nothing_are_told(tmp_path, options):
    (remark,) = remarks(tmp_path, chat(1, 13, 20), chat(2, 14, 21) + chat(22, who="Jo"), **options)
    assert remark.startswith(f"It bears the name of {NAME}, reaches over the same days and")


@pytest.mark.parametrize(
    ("one", "other"),
    [(chat(1, 13, 20), chat(13, 20, 21)), (chat(1, 13), chat(14, 20))],
    ids=["they overlap", "one after the other"],
)
def test_two_exports_of_one_chat_are_not(tmp_path, one, other):
    assert not remarks(tmp_path, one + chat(1, who="Jo"), other)
