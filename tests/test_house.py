"""What the house promises about itself."""

import ast
import re
import shlex
import subprocess
import sys
import tomllib
from contextlib import suppress
from importlib.metadata import packages_distributions
from pathlib import Path

import grimp
import pytest
from click import Option
from click.exceptions import Exit

from exporters import EXPORTERS
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


@pytest.mark.slow
def test_every_library_that_is_imported_is_declared():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {_plain(re.split(r"[\[<>=]", one)[0]) for one in project["dependencies"]}
    known = packages_distributions()
    for path in modules():
        for node in ast.walk(ast.parse((REPOSITORY / path).read_text(encoding="utf-8"))):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in {name.split(".")[0] for name in names} & set(known):
                assert {_plain(one) for one in known[name]} & {*declared, "likeness"}, (path, name)


def _plain(name: str) -> str:
    return name.lower().replace("_", "-")


@pytest.fixture(scope="module")
def imports() -> grimp.ImportGraph:
    return grimp.build_graph(*PACKAGES, include_external_packages=True, cache_dir=None)


def families(imports: grimp.ImportGraph, package: str, names: set[str]) -> dict[str, str]:
    """Return the modules of a package that are named after one of these, `telegram_html` too."""
    named = {
        module: module.removeprefix(f"{package}.").split("_")[0]
        for module in imports.find_descendants(package)
    }
    return {module: family for module, family in named.items() if family in names}


def across(imports: grimp.ImportGraph, family_of: dict[str, str]) -> list[str]:
    """Return which modules need one of another family, at however many removes."""
    return [
        f"{module} needs {needed}"
        for module, family in family_of.items()
        for needed in imports.find_upstream_modules(module)
        if family_of.get(needed, family) != family
    ]


def test_files_of_one_format_do_without_those_of_another_and_without_its_exporters(
    imports: grimp.ImportGraph,
):
    heads = {type(exporter).__module__ for exporter in EXPORTERS}
    formats = {head.removeprefix("exporters.").split("_")[0] for head in heads}
    family_of = families(imports, "exporters", formats)
    assert heads <= family_of.keys()
    assert across(imports, family_of) == []
    assert not any(imports.find_upstream_modules(module) & heads - {module} for module in family_of)


def test_adapters_do_without_each_other(imports: grimp.ImportGraph):
    family_of = families(imports, "bot.adapters", {"telegram", "discord", "terminal"})
    assert len(set(family_of.values())) == 3
    assert across(imports, family_of) == []


@pytest.mark.parametrize("library", ["telegram", "discord"])
def test_a_bot_library_is_imported_in_its_adapter_alone(imports: grimp.ImportGraph, library: str):
    importers = imports.find_modules_that_directly_import(library)
    assert importers
    assert all(importer.startswith(f"bot.adapters.{library}") for importer in importers)


def test_the_language_stands_on_the_standard_library_alone(imports: grimp.ImportGraph):
    known = sys.stdlib_module_names | {"likeness"}
    for module in imports.find_children("likeness") - {"likeness.cli", "likeness.__main__"}:
        needed = imports.find_upstream_modules(module, as_package=True)
        foreign = {name for name in needed if name.split(".")[0] not in known}
        assert foreign <= ({"tokenizers"} if module == "likeness.tokenizer" else set()), module


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


def anchors(page: Path) -> set[str]:
    """Return what GitHub calls the headings of a page."""
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def leads_somewhere(page: Path, target: str) -> bool:
    """Tell whether a link in a page leads to a file that is there, and to a heading in it."""
    name, _, anchor = target.partition("#")
    there = page.parent / name if name else page
    return there.exists() and (not anchor or anchor in anchors(there))


def test_links_between_the_documents_lead_somewhere():
    broken = [
        f"{page.name}: {target}"
        for page in pages()
        for target in re.findall(r"\]\((?!https?://)([^)]+)", page.read_text(encoding="utf-8"))
        if not leads_somewhere(page, target)
    ]
    assert not broken
    assert not leads_somewhere(REPOSITORY / "README.md", "#nowhere")
