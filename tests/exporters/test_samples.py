"""Invented exports beside what they become: one more pair for one more case.

`NAME.expected` stands beside the export `NAME.anything`, a file, zip or folder. It holds one line a
message, then one line with the rest, for each of the export's files that is recognised.
To write it anew, having read what changed: `python -m tests.exporters.test_samples PATH`.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path

import pytest

from exporters import EXPORTERS, Exporter, find_exporter
from exporters.folders import find_files
from exporters.sources import Reading, Source, sources_in
from likeness.messages import Message, Notice, Rejected

SAMPLES = Path(__file__).parent / "samples"
EXPECTED = sorted(SAMPLES.rglob("*.expected"))


def export_of(expected: Path) -> Path:
    """Return the file or folder that stands beside what it becomes."""
    (found,) = (
        path
        for path in expected.parent.iterdir()
        if path.suffix != ".expected" and expected.stem in (path.stem, path.name)
    )
    return found


def recognised(path: Path) -> Iterator[tuple[Source, Exporter]]:
    """Yield every file of an export that some exporter reads."""
    for file in find_files(path):
        name = path.name if file == path else file.relative_to(path).as_posix()
        for source in sources_in(file, name):
            exporter = find_exporter(source)
            if exporter is not None:
                yield source, exporter


def lines_of(path: Path) -> Iterator[str]:
    """Read an export as its exporter does, and tell everything of it as lines."""
    for source, exporter in recognised(path):
        reading = Reading(UTC)
        records = list(exporter.read(source, reading))
        yield from (record.to_json() for record in records if isinstance(record, Message))
        rest = {
            "exporter": exporter.name,
            "flavour": reading.flavour,
            "notices": Counter(r.reason for r in records if isinstance(r, Notice)),
            "rejected": [(r.where, r.reason) for r in records if isinstance(r, Rejected)],
            "owner": reading.owner,
            "remarks": reading.remarks,
        }
        yield json.dumps(rest, ensure_ascii=False)


@pytest.mark.parametrize(
    "expected", EXPECTED, ids=lambda path: path.relative_to(SAMPLES).as_posix()
)
def test_a_sample_becomes_what_stands_beside_it(expected: Path):
    lines = expected.read_text("utf-8").removesuffix("\n").split("\n")
    assert list(lines_of(export_of(expected))) == lines


@pytest.mark.parametrize("sample", ["own/two_chats.jsonl", "signal/sigtop/Jo (+15550199).json"])
def test_a_byte_order_mark_that_an_editor_put_there_changes_nothing(sample: str, tmp_path: Path):
    export = SAMPLES / sample
    marked = tmp_path / export.name
    marked.write_bytes(b"\xef\xbb\xbf" + export.read_bytes())
    assert list(lines_of(marked)) == list(lines_of(export))


def test_every_exporter_has_a_sample():
    read = {exporter.name for path in EXPECTED for _, exporter in recognised(export_of(path))}
    assert read == {exporter.name for exporter in EXPORTERS}


if __name__ == "__main__":
    for name in sys.argv[1:]:
        lines = "".join(f"{line}\n" for line in lines_of(Path(name)))
        Path(name).with_suffix(".expected").write_text(lines, encoding="utf-8")
