"""Invented exports beside what they become: one more pair of files for one more case.

`NAME.json` is the export; `NAME.expected` holds one line a message, then one line with the rest.
"""

import json
from collections import Counter
from datetime import UTC
from pathlib import Path

import pytest

from exporters import find_exporter
from exporters.sources import Reading, sources_in
from likeness.messages import Message, Notice, Rejected

SAMPLES = Path(__file__).parent / "samples"
PLATFORMS = ("telegram", "discord", "rows")
PAIRS = [file for platform in PLATFORMS for file in sorted((SAMPLES / platform).glob("*.json"))]


def lines_of(file: Path) -> list[str]:
    """Read a file as its exporter does, and tell everything of it as lines."""
    (source,) = sources_in(file, file.name)
    exporter = find_exporter(source)
    assert exporter is not None
    reading = Reading(UTC)
    records = list(exporter.read(source, reading))
    notices = Counter(record.reason for record in records if isinstance(record, Notice))
    rejected = [(record.where, record.reason) for record in records if isinstance(record, Rejected)]
    rest = {
        "flavour": reading.flavour,
        "notices": notices,
        "rejected": rejected,
        "owner": reading.owner,
        "remarks": reading.remarks,
    }
    messages = [record.to_json() for record in records if isinstance(record, Message)]
    return [*messages, json.dumps(rest, ensure_ascii=False)]


@pytest.mark.parametrize("file", PAIRS, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_a_sample_becomes_what_stands_beside_it(file):
    expected = file.with_suffix(".expected").read_text("utf-8")
    assert lines_of(file) == expected.removesuffix("\n").split("\n")


def test_every_platform_has_samples():
    assert {file.parent.name for file in PAIRS} == set(PLATFORMS)
