"""Where sources are looked for, and what is refused on the way."""

import gc
import io
import zipfile

import pytest

from exporters.folders import find_files
from exporters.sources import HEAD_BYTES, sources_in
from likeness.errors import DamagedSource, SourceError, UnrecognisedSource


def zipped(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def names(path):
    return [source.name for source in sources_in(path, path.name)]


def test_a_folder_is_searched_in_the_order_of_names_without_what_is_hidden(tmp_path):
    for name in ("b/2.txt", "b/1.txt", "a.txt", ".hidden", ".git/x", "__MACOSX/a.txt", "b/c/d.txt",
                 "b/Thumbs.db"):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = [file.relative_to(tmp_path).as_posix() for file in find_files(tmp_path)]
    assert found == ["a.txt", "b/1.txt", "b/2.txt", "b/c/d.txt"]


def test_numbers_in_names_are_in_the_order_of_numbers(tmp_path):
    pages = ["messages.html", "messages2.html", "messages10.html"]
    for name in pages:
        (tmp_path / name).touch()
    assert [file.name for file in find_files(tmp_path)] == pages
    archive = zipped(
        tmp_path / "a.zip", {f"chat_{n}/{page}": b"" for n in (10, 9) for page in pages}
    )
    assert names(archive) == [f"a.zip/chat_{n}/{page}" for n in (9, 10) for page in pages]


def test_a_path_to_nothing_is_told(tmp_path):
    with pytest.raises(UnrecognisedSource, match="does not exist"):
        list(find_files(tmp_path / "gone"))


def test_a_plain_file_is_one_source_that_tells_its_bytes_as_they_are_read(tmp_path):
    path = tmp_path / "long.txt"
    path.write_bytes(b"x" * (HEAD_BYTES + 10))
    (source,) = sources_in(path, "long.txt")
    told = []
    with source.open(told.append) as file:
        assert file.read(5) == b"xxxxx"
        file.read()
    assert (len(source.head), source.size, sum(told)) == (HEAD_BYTES, HEAD_BYTES + 10, source.size)


def test_a_zip_is_one_source_for_each_file_inside_read_in_place(tmp_path):
    members = {"chat/_chat.txt": "hi", "chat/": "", "__MACOSX/._chat.txt": "", "a/b/c.json": "{}"}
    path = zipped(tmp_path / "export.zip", members)
    sources = list(sources_in(path, "export.zip"))
    assert [source.name for source in sources] == [
        "export.zip/a/b/c.json",
        "export.zip/chat/_chat.txt",
    ]
    with sources[1].open() as file:
        assert io.TextIOWrapper(file, "utf-8").read() == "hi"
    assert [file.name for file in tmp_path.iterdir()] == ["export.zip"]


@pytest.mark.parametrize(
    ("written", "read"),
    [("Käthe.txt".encode(), "Käthe.txt"), ("Käthe.txt".encode("cp437"), "Käthe.txt")],
    ids=["macOS", "Windows"],
)
def test_names_in_a_zip_that_does_not_say_how_they_are_written_are_read(tmp_path, written, read):
    path = zipped(tmp_path / "export.zip", {"K" + "_" * (len(written) - 5) + ".txt": "hi"})
    path.write_bytes(path.read_bytes().replace(b"K" + b"_" * (len(written) - 5) + b".txt", written))
    (source,) = sources_in(path, "export.zip")
    assert (source.name, source.member) == (f"export.zip/{read}", read)
    with source.open() as file:
        assert file.read() == b"hi"
    assert source.near(read) is not None


def test_a_zip_is_known_by_what_it_holds(tmp_path):
    assert names(zipped(tmp_path / "export.backup", {"a.txt": "a"})) == ["export.backup/a.txt"]


@pytest.mark.parametrize("member", ["../out.txt", "a/../../out.txt", "/etc/out.txt", "..\\out.txt"])
def test_a_zip_whose_paths_lead_out_of_it_is_refused(tmp_path, member):
    with pytest.raises(SourceError, match="leads out of it"):
        names(zipped(tmp_path / "trap.zip", {member: "x"}))


@pytest.mark.slow
def test_a_zip_that_grows_beyond_any_chat_is_refused(tmp_path):
    path = zipped(tmp_path / "bomb.zip", {"a.txt": b"\0" * (65 * 1024 * 1024)})
    with pytest.raises(SourceError, match="would unpack to"):
        names(path)


def test_a_zip_cut_off_is_one_clear_sentence(tmp_path):
    path = zipped(tmp_path / "cut.zip", {"a.txt": "abc" * 1000})
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(DamagedSource, match=r"cut\.zip is a broken zip"):
        names(path)


def test_a_locked_zip_is_one_clear_sentence(tmp_path):
    path = zipped(tmp_path / "locked.zip", {"a.txt": "abc"})
    data = bytearray(path.read_bytes())
    data[6] |= 1  # the flag of a password, in the member's header and in the directory
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(DamagedSource, match="locked with a password"):
        names(path)


def packed_otherwise(path, member):
    """Mark a member as packed by a method that nothing here reads, as Windows packs large files."""
    data = bytearray(path.read_bytes())
    for mark, method, start in ((b"PK\3\4", 8, 30), (b"PK\1\2", 10, 46)):
        at = data.index(member.encode()) - start
        while data[at : at + 4] != mark:
            at = data.index(member.encode(), at + start + 1) - start
        data[at + method] = 9
    path.write_bytes(data)
    return path


def test_what_is_packed_otherwise_is_told_and_stops_nothing_else(tmp_path):
    members = {"a.mp4": "x" * 99, "b.txt": "hello"}
    path = packed_otherwise(zipped(tmp_path / "all.zip", members), "a.mp4")
    sources = sources_in(path, "all.zip")
    assert next(sources).name == "all.zip/b.txt"
    with pytest.raises(DamagedSource, match=r"all\.zip/a\.mp4 is packed in an unknown way: unpack"):
        next(sources)


def test_paths_that_windows_parted_by_backslashes_are_paths(tmp_path):
    members = {"x\\chat\\messages.html": "a", "x\\chat\\messages2.html": "b", "x\\.hidden": ""}
    path = zipped(tmp_path / "export.zip", members)
    first, second = sources_in(path, "export.zip")
    assert (first.name, second.place.parent.name) == ("export.zip/x/chat/messages.html", "chat")
    with second.open() as file:
        assert file.read() == b"b"
    near = second.near("messages.html")
    assert near is not None
    assert near.head == b"a"


def test_a_member_that_goes_bad_on_the_way_is_told_where_it_is_read(tmp_path):
    path = zipped(tmp_path / "bad.zip", {"a.txt": bytes(range(256)) * 4000})
    (source,) = sources_in(path, "bad.zip")
    data = bytearray(path.read_bytes())
    data[60] ^= 0xFF
    path.write_bytes(data)
    with source.open() as file, pytest.raises(DamagedSource, match="broken zip"):
        file.read()


def test_a_picture_is_not_read_beyond_its_beginning(tmp_path):
    path = tmp_path / "photo.jpg"
    path.write_bytes(b"\xff\xd8\0" + b"x" * HEAD_BYTES)
    (source,) = sources_in(path, "photo.jpg")
    assert len(source.head) == 512


def test_a_zip_of_zips_is_looked_into(tmp_path):
    inner = zipped(
        tmp_path / "inner", {"_chat.txt": b"hello", "media/a.zip": b"PK\3\4"}
    ).read_bytes()
    by_systems = {"__MACOSX/._a.zip": b"", "Thumbs.db": b"\xd0\xcf", "desktop.ini": b"[x]"}
    path = zipped(tmp_path / "all.zip", {"b.zip": inner, "a.zip": inner, **by_systems})
    inside = ["_chat.txt", "media/a.zip"]
    assert names(path) == [f"all.zip/{zip_}.zip/{name}" for zip_ in "ab" for name in inside]
    first, *_ = sources_in(path, "all.zip")
    with first.open() as file:
        assert file.read() == first.head == b"hello"


def test_a_broken_zip_among_zips_is_told_and_stops_no_other(tmp_path):
    inner = zipped(tmp_path / "inner", {"_chat.txt": b"hello"}).read_bytes()
    broken = b"PK\3\4 and no more"
    path = zipped(tmp_path / "all.zip", {"a.zip": broken, "b.zip": broken, "c.zip": inner})
    sources = sources_in(path, "all.zip")
    assert next(sources).name == "all.zip/c.zip/_chat.txt"
    told = r"all\.zip/a\.zip is a broken zip: .* 1 more in all\.zip cannot be read either\."
    with pytest.raises(DamagedSource, match=told):
        next(sources)


def test_a_zip_that_came_as_a_file_of_a_chat_stays_closed(tmp_path):
    inner = zipped(tmp_path / "inner", {"_chat.txt": b"of others"}).read_bytes()
    path = zipped(tmp_path / "chat.zip", {"_chat.txt": b"hello", "notes.zip": inner})
    assert names(path) == ["chat.zip/_chat.txt", "chat.zip/notes.zip"]


@pytest.mark.slow
def test_a_zip_is_closed_even_if_its_sources_go_in_a_circle(tmp_path):
    inner = zipped(tmp_path / "inner.zip", {"a.txt": "a"})
    path = zipped(tmp_path / "export.zip", {"inner.zip": inner.read_bytes()})
    gc.collect()
    gc.freeze()  # what other tests left is not looked through each time
    try:
        for _ in range(20):
            circle = [*sources_in(path, path.name), *sources_in(inner, inner.name)]
            circle.append(circle)
            del circle
            gc.collect()  # a file that is found open here fails the test
    finally:
        gc.unfreeze()


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("messages*.html", ["messages.html", "messages2.html"]),
        ("MESSAGES2.html", ["messages2.html"]),
        ("*2.html", ["messages2.html"]),
        ("messages.h*.html", []),
    ],
)
def test_neighbours_are_found_by_a_part_of_their_names(tmp_path, pattern, found):
    names = {"messages.html": "a", "messages2.html": "b", "style.css": "c"}
    for name, text in names.items():
        (tmp_path / name).write_text(text)
    (plain,) = sources_in(tmp_path / "style.css", "style.css")
    assert sorted(near.name for near in plain.all_near(pattern)) == found
    members = {f"x/{name}": text for name, text in names.items()}
    inside = sources_in(zipped(tmp_path / "z.zip", members), "z.zip")
    (style,) = [source for source in inside if (source.member or "").endswith(".css")]
    assert sorted((near.member or "")[2:] for near in style.all_near(pattern)) == found


def test_a_neighbour_in_a_zip_is_found_without_a_look_at_all_members(tmp_path, monkeypatch):
    members = {"x/Messages.html": "a", "x/messages2.html": "b"}
    *_, page = sources_in(zipped(tmp_path / "z.zip", members), "z.zip")
    monkeypatch.setattr("exporters.zips._fits", None)
    first = page.near("../X/messages.HTML")
    assert first is not None
    assert first.member == "x/Messages.html"
    assert page.near("result.json") is None
