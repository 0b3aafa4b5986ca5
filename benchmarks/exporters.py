"""How fast exports are read, and in how much memory, beside the plain ways to do so.

Run `python -m benchmarks.exporters`; `--gigabyte` for the largest exports that people have. Every
measurement has a process of its own, one after the other; time is that of its one core.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC
from pathlib import Path

import ijson  # type: ignore[import-untyped]

from benchmarks.invented import write_discord, write_telegram, write_whatsapp
from benchmarks.peak_memory import peak_bytes
from exporters.options import ExportOptions
from exporters.run import export

_HEAD = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}), (\d{1,2}):(\d{2}) - ([^:]*): (.*)")
_ROOT = Path(__file__).parent.parent
_MEGABYTE = 1_000_000


def ours(path: Path) -> int:
    """Export: recognise, read, find the owner, order, write the whole file."""
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        options = ExportOptions(UTC, "UTC", me=("Bela Vimo",))
        account = export([path], Path(folder, "messages.jsonl"), options)
    return sum(source.records for source in account.sources)


def json_load(path: Path) -> int:
    """Load the whole file, and do nothing with it."""
    with path.open(encoding="utf-8") as file:
        return len(json.load(file)["messages"])


def ijson_events(path: Path) -> int:
    """Stream through the file, and do nothing with it."""
    with path.open("rb") as file:
        return sum(prefix == "messages.item.id" for prefix, *_ in ijson.parse(file))


def regex_a_line(path: Path) -> int:
    """Match the one pattern that fits, known beforehand, and keep nothing."""
    with path.open(encoding="utf-8") as lines:
        return sum(_HEAD.match(line) is not None for line in lines)


WAYS: dict[str, Callable[[Path], int]] = {
    "export": ours,
    "json.load": json_load,
    "ijson alone": ijson_events,
    "a regex for each line": regex_a_line,
}
WRITERS = {"telegram": write_telegram, "discord": write_discord, "whatsapp": write_whatsapp}
FORMATS = {
    "telegram": ("json.load", "ijson alone", "export"),
    "discord": ("json.load", "ijson alone", "export"),
    "whatsapp": ("a regex for each line", "export"),
}


def measure(way: str, path: Path) -> None:
    """Do it once and print what it took, as JSON."""
    start = time.process_time()
    count = WAYS[way](path)
    seconds = time.process_time() - start
    peak = peak_bytes() / 2**20
    print(json.dumps({"seconds": seconds, "messages": count, "peak": peak}))


def measured(way: str, path: Path, rounds: int) -> dict[str, float]:
    """Return the best of several runs, each in its own process."""
    command = [sys.executable, "-m", "benchmarks.exporters", "--measure", way, str(path)]
    runs = [
        json.loads(subprocess.check_output(command, cwd=_ROOT))  # noqa: S603
        for _ in range(rounds)
    ]
    return min(runs, key=lambda run: run["seconds"])


def main() -> None:
    """Write the exports, measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=64, help="of each export")
    parser.add_argument("--gigabyte", action="store_true", help="1 GB of JSON, 500 MB of text")
    parser.add_argument("--formats", nargs="+", default=list(FORMATS), choices=FORMATS)
    parser.add_argument("--rounds", type=int, default=2, help="of which the best counts")
    parser.add_argument("--folder", type=Path, help="where there is room for the exports")
    asked = parser.parse_args()
    print("| export | way | s | MB/s | messages/s | peak MB | x first |")
    print("|---|---|---|---|---|---|---|")
    for name in asked.formats:
        megabytes = (500 if name == "whatsapp" else 1000) if asked.gigabyte else asked.megabytes
        with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
            path = Path(folder, f"{name}.{'txt' if name == 'whatsapp' else 'json'}")
            WRITERS[name](path, megabytes * _MEGABYTE)
            size = path.stat().st_size / _MEGABYTE
            first = 0.0
            for way in FORMATS[name]:
                run = measured(way, path.resolve(), asked.rounds)
                seconds = run["seconds"]
                first = first or seconds
                print(
                    f"| {name}, {size:.0f} MB | {way} | {seconds:.1f} | {size / seconds:.0f} "
                    f"| {run['messages'] / seconds:,.0f} | {run['peak']:.0f} "
                    f"| {first / seconds:.1f} |",
                    flush=True,
                )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(sys.argv[2], Path(sys.argv[3]))
    else:
        main()
