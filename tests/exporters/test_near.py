from pathlib import Path
from zipfile import ZipFile

from exporters.sources import Source, sources_in

FILES = {"Export/users.json": b"[1]", "Export/general/2024-01-01.json": b"[]"}


def day_on_disk(folder: Path) -> Source:
    for name, content in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (day,) = sources_in(folder / "Export/general/2024-01-01.json", "day")
    return day


def day_in_zip(folder: Path) -> Source:
    with ZipFile(folder / "all.zip", "w") as archive:
        for name, content in FILES.items():
            archive.writestr(name, content)
    return next(s for s in sources_in(folder / "all.zip", "zip") if "day" in s.name or s.size == 2)


def test_a_file_finds_what_lies_near_it(tmp_path: Path):
    for day in (day_on_disk(tmp_path), day_in_zip(tmp_path)):
        for relative in ("../users.json", "../Users.JSON"):
            users = day.near(relative)
            assert users is not None
            assert users.head == b"[1]"
        assert day.near("../channels.json") is None
        assert day.near("../../../nowhere/users.json") is None


def test_a_file_finds_all_that_fit_a_pattern(tmp_path: Path):
    for day in (day_on_disk(tmp_path), day_in_zip(tmp_path)):
        for pattern in ("../*/2024-01-01.json", "../../export/GENERAL/*"):
            assert [found.head for found in day.all_near(pattern)] == [b"[]"]
        assert list(day.all_near("../*")) == [day.near("../users.json")]
        assert list(day.all_near("../../../nowhere/*")) == []
