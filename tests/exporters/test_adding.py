"""The page about adding an exporter: its example reads its example."""

import re
from collections import Counter
from datetime import UTC

from exporters import EXPORTERS
from exporters.sources import Reading, sources_in
from likeness.messages import Message
from tests.conftest import REPOSITORY

PAGE = (REPOSITORY / "docs" / "adding-an-exporter.md").read_text("utf-8")


def block(opening: str) -> str:
    found = re.search(rf"^```{opening}(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def test_the_example_of_the_page_reads_its_example(tmp_path):
    path = tmp_path / "harbour.txt"
    path.write_text("buoy 1\n" + block("\nbuoy 1\n"), "utf-8")
    example: dict[str, object] = {"__name__": "exporters.buoy"}
    exec(compile(block("python\n"), "buoy.py", "exec"), example)  # noqa: S102
    (source,) = sources_in(path, path.name)
    buoy = example["BUOY"]
    assert buoy.recognises(source)
    assert not any(exporter.recognises(source) for exporter in EXPORTERS)
    records = list(buoy.read(source, Reading(UTC)))
    assert Counter(type(record).__name__ for record in records) == {"Message": 2, "Notice": 1}
    assert next(record.text for record in records if isinstance(record, Message)) == "ahoy"
