"""What the documentation promises is held by tests that exist."""

import re
from collections import defaultdict
from pathlib import Path

from bot.settings import Settings

REPOSITORY = Path(__file__).parents[2]


def test_every_test_that_the_page_on_reliability_names_exists() -> None:
    page = (REPOSITORY / "docs" / "reliability.md").read_text(encoding="utf-8")
    files: defaultdict[str, str] = defaultdict(str)  # a name may stand in several folders
    for path in sorted((REPOSITORY / "tests").rglob("test_*.py")):
        files[path.name] += path.read_text(encoding="utf-8")
    named = re.findall(r"(?:(test_\w+\.py)::|`|::)(test_\w+)(?!\w*\.py)`", page)
    assert len(named) > 20
    for file, test in named:
        text = files.get(file, "") if file else "".join(files.values())
        assert f"def {test}(" in text, test
    assert set(re.findall(r"test_\w+\.py", page)) <= files.keys()


def test_every_variable_is_documented() -> None:
    page = (REPOSITORY / "docs" / "running-a-bot.md").read_text(encoding="utf-8")
    names = {
        str(field.validation_alias or name.upper()) for name, field in Settings.model_fields.items()
    }
    assert sorted(name for name in names if f"`{name}`" not in page) == []
