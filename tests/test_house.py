"""What the house promises about itself."""

import re
import shlex
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from click import Option
from click.exceptions import Exit

from likeness.cli import main
from tests.documents import PACKAGES, REPOSITORY, made_anew, pages


def modules() -> list[Path]:
    found = [path for package in PACKAGES for path in (REPOSITORY / package).rglob("*.py")]
    return sorted(path.relative_to(REPOSITORY) for path in found)


def test_the_migrations_do_not_shadow_the_library():
    assert (REPOSITORY / "alembic").is_dir()
    assert not (REPOSITORY / "alembic" / "__init__.py").exists()


@pytest.mark.parametrize("path", modules(), ids=str)
def test_every_module_says_in_its_first_line_what_it_holds(path: Path):
    first = (REPOSITORY / path).read_text(encoding="utf-8").split("\n", 1)[0]
    assert re.fullmatch(r'r?""".+[.:]("""|)', first), first


@pytest.mark.parametrize("path", modules(), ids=str)
def test_every_module_stays_small(path: Path):
    assert len((REPOSITORY / path).read_text(encoding="utf-8").splitlines()) <= 300


def test_the_help_loads_neither_torch_nor_a_bot_library():
    heavy = {"torch", "transformers", "tokenizers", "telegram", "discord", "sqlalchemy", "ijson"}
    code = f"import sys, likeness.cli; print(sorted({heavy} & set(sys.modules)))"
    run = [sys.executable, "-c", code]
    assert subprocess.run(run, capture_output=True, text=True, check=True).stdout == "[]\n"  # noqa: S603


@pytest.mark.parametrize("page", pages(), ids=lambda path: path.name)
def test_what_the_documents_take_from_the_code_is_up_to_date(page: Path):
    text = page.read_text(encoding="utf-8")
    assert text == made_anew(text), "run: python -m tests.documents"


def test_every_command_is_in_the_readme_and_says_what_it_does():
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    for name, command in main.commands.items():
        assert f"`likeness {name} " in readme
        assert command.help
        assert all(parameter.help for parameter in command.params if isinstance(parameter, Option))


def written_commands() -> list[str]:
    """Return every `likeness …` line in a code block of the documents."""
    blocks = [
        block
        for page in pages()
        for block in re.findall(
            r"^```\w*\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL
        )
    ]
    lines = [line.removeprefix(".venv/bin/") for block in blocks for line in block.splitlines()]
    return sorted({line for line in lines if line.startswith("likeness ")})


@pytest.mark.parametrize("line", written_commands())
def test_a_command_in_the_documents_is_one_that_the_command_takes(line: str):
    _, name, *arguments = shlex.split(line, comments=True)
    with suppress(Exit):
        main.commands[name].make_context(name, arguments)


def test_links_between_the_documents_lead_somewhere():
    broken = [
        f"{page.name}: {target}"
        for page in pages()
        for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert not broken
