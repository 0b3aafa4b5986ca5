"""What the house promises about itself."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

PACKAGES = ("likeness", "exporters", "training", "bot")


def modules() -> list[Path]:
    found = [path for package in PACKAGES for path in (REPOSITORY / package).rglob("*.py")]
    return sorted(path.relative_to(REPOSITORY) for path in found)


def test_the_migrations_do_not_shadow_the_library():
    assert (REPOSITORY / "alembic").is_dir()
    assert not (REPOSITORY / "alembic" / "__init__.py").exists()


@pytest.mark.parametrize("path", modules(), ids=str)
def test_every_module_says_in_its_first_line_what_it_holds(path: Path):
    first = (REPOSITORY / path).read_text(encoding="utf-8").split("\n", 1)[0]
    assert re.fullmatch(r'""".+[.:]("""|)', first), first


@pytest.mark.parametrize("path", modules(), ids=str)
def test_every_module_stays_small(path: Path):
    assert len((REPOSITORY / path).read_text(encoding="utf-8").splitlines()) <= 275


def test_the_help_loads_neither_torch_nor_a_bot_library():
    heavy = {"torch", "transformers", "tokenizers", "telegram", "discord", "sqlalchemy", "ijson"}
    code = f"import sys, likeness.cli; print(sorted({heavy} & set(sys.modules)))"
    run = [sys.executable, "-c", code]
    assert subprocess.run(run, capture_output=True, text=True, check=True).stdout == "[]\n"  # noqa: S603


def test_the_readmes_tree_names_every_module():
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    tree = readme.split("## The tree", 1)[1].split("```")[1]
    missing = [str(path) for path in modules() if path.name not in tree]
    assert not missing


def test_what_the_readmes_tree_names_exists():
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    tree = readme.split("## The tree", 1)[1].split("```")[1]
    named = re.findall(r"[\w-]+\.(?:py|toml|txt|md|ini)\b", tree)
    known = {path.name for path in REPOSITORY.rglob("*.*") if ".venv" not in path.parts}
    assert not set(named) - known


def test_links_between_the_documents_lead_somewhere():
    pages = [REPOSITORY / "README.md", *REPOSITORY.glob("docs/*.md")]
    broken = [
        f"{page.name}: {target}"
        for page in pages
        for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert not broken
