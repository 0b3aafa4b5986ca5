"""The parts of the documents that are made from the code: `python -m tests.documents` writes them.

Each stands between `<!-- made: NAME -->` and `<!-- end -->`; a test holds it equal to what is made.
"""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from training.config import explain

REPOSITORY = Path(__file__).parent.parent
PACKAGES = ("likeness", "exporters", "training", "bot")
_MADE = re.compile(r"(<!-- made: (\w+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)
_ELSEWHERE = (
    ("alembic/", "the database's migrations, step by step"),
    ("tests/", "as the tree; samples/ hold invented exports beside what they become"),
    ("deploy/", "examples of a service: a systemd unit, a container"),
    ("demo/", "the invented chats of `make demo`, and three questions"),
    ("docs/", "exporting, training, running a bot, the contracts, adding an exporter"),
    ("benchmarks/", "what the documents quote, each one command"),
)


def tree() -> str:
    """Return every module with the first line of its docstring."""
    lines = [line for package in PACKAGES for line in _below(REPOSITORY / package, 0)]
    lines += [(name, says) for name, says in _ELSEWHERE if (REPOSITORY / name).is_dir()]
    width = max(len(name) for name, _ in lines) + 2
    return "```\n" + "".join(f"{name:{width}}{says}\n" for name, says in lines) + "```\n"


def _below(folder: Path, depth: int) -> Iterator[tuple[str, str]]:
    yield f"{'  ' * depth}{folder.name}/", _first_line(folder / "__init__.py")
    inside = sorted(folder.iterdir(), key=lambda path: (path.is_dir(), path.name))
    for path in inside:
        if (path / "__init__.py").is_file():
            yield from _below(path, depth + 1)
        elif path.suffix == ".py" and not path.name.startswith("__"):
            yield f"{'  ' * (depth + 1)}{path.name}", _first_line(path)


def _first_line(module: Path) -> str:
    said = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or ""
    return said.split("\n")[0].rstrip(".")


def settings() -> str:
    """Return the table of what `--set` takes."""
    rows = "".join(f"| `{setting}` | {meaning} |\n" for setting, meaning in explain())
    return f"| setting and its default | meaning |\n|---|---|\n{rows}"


MAKERS: dict[str, Callable[[], str]] = {"tree": tree, "settings": settings}


def pages() -> list[Path]:
    """Return all documents."""
    return [*sorted(REPOSITORY.glob("*.md")), *sorted(REPOSITORY.glob("docs/*.md"))]


def made_anew(page: str) -> str:
    """Return a page with its made parts as the code says today."""
    return _MADE.sub(lambda found: found[1] + MAKERS[found[2]]() + found[4], page)


if __name__ == "__main__":
    for path in pages():
        path.write_text(made_anew(path.read_text(encoding="utf-8")), encoding="utf-8")
