"""Throws what a coverage-guided fuzzer makes of the samples at every exporter.

Needs atheris, which is not among the development tools: `pip install atheris`, then
`python -m benchmarks.fuzz_exporters FOLDER -max_total_time=300`. FOLDER is filled with the samples
where it is empty, and with what was found to go new ways. The first byte of each input chooses the
exporter that is to read it, recognised or not.
"""

import shutil
import sys
import tempfile
from datetime import UTC
from pathlib import Path

try:
    import atheris
except ImportError:
    sys.exit(__doc__)

with atheris.instrument_imports(include=["exporters", "likeness"]):
    from exporters import EXPORTERS
    from exporters.options import ExportOptions
    from exporters.run import export
    from exporters.sources import Reading, sources_in
    from likeness.errors import LikenessError, SourceError

_SAMPLES = Path(__file__).parent.parent / "tests" / "exporters" / "samples"
_MOST_BYTES = 20_000
_PLACE = Path(tempfile.mkdtemp(prefix="fuzz-"))


def throw(data: bytes) -> None:
    """Let one exporter read the input, and then the whole export."""
    path, out = _PLACE / "export", _PLACE / "out.jsonl"
    path.write_bytes(data[1:])
    exporter = EXPORTERS[(data[0] if data else 0) % len(EXPORTERS)]
    try:
        for source in sources_in(path, "export"):
            for blocks in (False, True):
                for _ in exporter.read(source, Reading(UTC, blocks=blocks)):
                    pass
    except SourceError:
        pass
    try:
        account = export([path], out, ExportOptions(UTC, "UTC"))
    except LikenessError:
        assert not out.exists()
    else:
        assert account.balanced
        out.unlink()


def fill(folder: Path) -> None:
    """Put every sample into an empty folder, behind the number of the exporter that reads it."""
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        return
    files = [path for path in _SAMPLES.rglob("*") if path.is_file() and path.suffix != ".expected"]
    for number, path in enumerate(files):
        for place, exporter in enumerate(EXPORTERS):
            if any(map(exporter.recognises, sources_in(path, path.name))):
                seed = bytes([place]) + path.read_bytes()[:_MOST_BYTES]
                (folder / f"{number}-{place}").write_bytes(seed)


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    fill(Path(sys.argv[1]))
    atheris.Setup(sys.argv, throw)
    try:
        atheris.Fuzz()
    finally:
        shutil.rmtree(_PLACE, ignore_errors=True)
