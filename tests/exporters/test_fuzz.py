"""Whatever is thrown at an exporter, it ends with messages or one clear sentence."""

import io
import re
import shutil
import zipfile
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exporters import EXPORTERS
from exporters.options import ExportOptions
from exporters.run import export
from likeness.errors import LikenessError, SourceError
from likeness.files import read_messages
from tests.examples import examples
from tests.exporters.test_samples import EXPECTED, export_of, recognised

SAMPLES = Path(__file__).parent / "samples"
MOST_BYTES = 40_000
FEW = settings(
    max_examples=examples(15),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def seeds():
    """Yield each exporter with one of its samples, and the file in it that it reads first."""
    seen = set()
    for expected in EXPECTED:
        path = export_of(expected)
        for source, exporter in recognised(path):
            if source.member is None and (exporter.name, source.path.suffix) not in seen:
                seen.add((exporter.name, source.path.suffix))
                yield pytest.param(path, source.path, id=f"{exporter.name}, {path.name}")


SEEDS = list(seeds())


@contextmanager
def copied(export_, file, folder, data):
    """Lay out an export with one of its files replaced."""
    place = folder / export_.name
    if export_.is_dir():
        shutil.copytree(export_, place)
        place.joinpath(file.relative_to(export_)).write_bytes(data)
    else:
        place.write_bytes(data)
    yield place
    shutil.rmtree(place) if place.is_dir() else place.unlink()


def ends_well(path, out):
    """Export; hold that it ended as it must, and left a whole file or none."""
    account, sentence = None, ""
    try:
        account = export([path], out, ExportOptions(UTC, "UTC"))
    except LikenessError as error:
        sentence = str(error)
    if account is None:
        assert re.fullmatch(r"[^\n]+", sentence)
        assert not list(out.parent.iterdir())
    else:
        assert account.balanced
        assert len(list(read_messages(out))) == account.messages
        assert list(out.parent.iterdir()) == [out]
        out.unlink()


@st.composite
def damaged(draw, whole):
    """Cut, shuffle, repeat, overwrite: a few times, anywhere."""
    data = whole[:MOST_BYTES]
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(data)))
        end = draw(st.integers(start, min(len(data), start + 400)))
        how = draw(st.sampled_from(["cut", "lose", "repeat", "move", "overwrite", "lines"]))
        part = data[start:end]
        if how == "cut":
            data = data[:start]
        elif how == "lose":
            data = data[:start] + data[end:]
        elif how == "repeat":
            data = data[:end] + part * draw(st.integers(1, 50)) + data[end:]
        elif how == "move":
            data = part + data[:start] + data[end:]
        elif how == "overwrite":
            data = data[:start] + draw(st.binary(max_size=12)) + data[end:]
        else:
            lines = data.splitlines(keepends=True)
            draw(st.randoms(use_true_random=False)).shuffle(lines)
            data = b"".join(lines)
    return data


def test_every_exporter_is_thrown_at():
    thrown = {exporter.name for param in SEEDS for _, exporter in recognised(param.values[0])}
    assert thrown == {exporter.name for exporter in EXPORTERS}


@pytest.mark.slow
@pytest.mark.parametrize(("sample", "file"), SEEDS)
def test_damage_ends_in_messages_or_one_sentence(sample, file, tmp_path):
    whole = file.read_bytes()
    out = tmp_path / "out" / "messages.jsonl"
    out.parent.mkdir()

    @FEW
    @given(damaged(whole))
    def check(data):
        with copied(sample, file, tmp_path, data) as path:
            ends_well(path, out)

    check()


@pytest.mark.slow
@pytest.mark.parametrize(("sample", "file"), SEEDS)
def test_a_long_file_of_repeated_pieces_takes_no_long_time(sample, file, tmp_path):
    whole = file.read_bytes()
    out = tmp_path / "out" / "messages.jsonl"
    out.parent.mkdir()

    @settings(FEW, max_examples=examples(4))
    @given(st.data())
    def check(data):
        start = data.draw(st.integers(0, len(whole) - 1))
        part = whole[start : start + data.draw(st.integers(1, 60))]
        long = whole[:start] + part * (200_000 // len(part)) + whole[start:]
        with copied(sample, file, tmp_path, long) as path:
            ends_well(path, out)

    check()


@pytest.mark.slow
@pytest.mark.parametrize(("sample", "file"), SEEDS)
def test_a_damaged_zip_ends_in_messages_or_one_sentence(sample, file, tmp_path):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sample.rglob("*") if sample.is_dir() else [sample]:
            if path.is_file():
                archive.write(path, path.relative_to(sample.parent).as_posix())
    zipped = tmp_path / "export.zip"
    out = tmp_path / "out" / "messages.jsonl"
    out.parent.mkdir()

    @settings(FEW, max_examples=examples(8))
    @given(damaged(packed.getvalue()))
    def check(data):
        zipped.write_bytes(data)
        ends_well(zipped, out)

    check()


@given(st.binary(max_size=2000) | st.text(max_size=500).map(str.encode))
@settings(FEW, max_examples=examples(60))
def test_random_bytes_end_in_messages_or_one_sentence(tmp_path_factory, data):
    folder = tmp_path_factory.getbasetemp() / "random"
    out = folder / "out" / "messages.jsonl"
    out.parent.mkdir(parents=True, exist_ok=True)
    (folder / "export").write_bytes(data)
    ends_well(folder / "export", out)


@pytest.mark.parametrize("name", ["../result.json", "/result.json", "a/../../b.txt", "..\\b.txt"])
def test_a_zip_whose_paths_lead_out_of_it_is_refused(name, tmp_path):
    path, out = tmp_path / "export.zip", tmp_path / "out.jsonl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, (SAMPLES / "telegram" / "one_chat.json").read_bytes())
    with pytest.raises(SourceError, match="a path that leads out of it"):
        export([path], out, ExportOptions(UTC, "UTC"))
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.slow
def test_a_zip_that_unpacks_without_end_is_refused(tmp_path):
    path, out = tmp_path / "export.zip", tmp_path / "out.jsonl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("result.json", b" " * 100 * 1024 * 1024)
    with pytest.raises(SourceError, match="would unpack to over"):
        export([path], out, ExportOptions(UTC, "UTC"))
    assert list(tmp_path.iterdir()) == [path]
