"""The examples of a service: what the tools say of them, and that they say what the bot does."""

import json
import re
import runpy
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from bot.settings import Settings
from likeness.cli import main
from likeness.cli.serve import STOP_SECONDS
from likeness.errors import BadSettings

REPOSITORY = Path(__file__).parents[2]
DEPLOY = REPOSITORY / "deploy"
UNIT = (DEPLOY / "likeness.service").read_text(encoding="utf-8")
CONTAINER = (DEPLOY / "Containerfile").read_text(encoding="utf-8")


def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("there is no systemd-analyze here")
    here = tmp_path / "likeness.service"  # with a program that exists
    here.write_text(re.sub(r"(?m)^ExecStart=\S+", f"ExecStart={shutil.which('true')}", UNIT))
    verify = [program, "verify", "--man=no", str(here)]
    found = subprocess.run(verify, capture_output=True, text=True, check=False)  # noqa: S603
    complaints = [line for line in found.stderr.splitlines() if "likeness.service" in line]
    assert (found.returncode, complaints) == (0, [])


@pytest.mark.parametrize("text", [UNIT, CONTAINER], ids=["unit", "container"])
def test_every_variable_of_the_examples_is_one_that_the_bot_reads(text: str) -> None:
    known = {str(field.validation_alias) for field in Settings.model_fields.values()}
    named = set(re.findall(r"\bLIKENESS_[A-Z_]+(?==)", text))
    assert named
    assert named <= known


def test_the_unit_starts_what_the_command_takes_and_gives_it_time_to_stop() -> None:
    arguments = re.findall(r"(?m)^ExecStart=\S+ serve (.+)$", UNIT)[0].split()
    main.commands["serve"].make_context("serve", arguments)
    assert int(re.findall(r"TimeoutStopSec=(\d+)", UNIT)[0]) > STOP_SECONDS
    assert str(BadSettings.exit_code) in re.findall(r"RestartPreventExitStatus=(.+)", UNIT)[0]


def test_the_unit_never_gives_up_where_another_try_may_help() -> None:
    assert re.findall(r"(?m)^StartLimit\w+=\S+$", UNIT) == ["StartLimitIntervalSec=0"]
    assert re.findall(r"(?m)^Restart=(\S+)$", UNIT) == ["on-failure"]


def test_the_model_is_given_to_the_user_whom_the_unit_runs_as() -> None:
    [user] = re.findall(r"(?m)^User=(\S+)$", UNIT)
    [model] = re.findall(r"(?m)^ExecStart=\S+ serve (\S+)", UNIT)
    page = (REPOSITORY / "docs" / "running-a-bot.md").read_text(encoding="utf-8")
    for text in (UNIT, page):
        assert f"useradd --system --user-group {user}\n" in text
        assert f"chown -R {user}: {model}\n" in text


def test_the_unit_keeps_the_compiled_kernel_where_it_may_write() -> None:
    [cache] = re.findall(r"XDG_CACHE_HOME=(\S+)", UNIT)
    [folder] = re.findall(r"(?m)^CacheDirectory=(\S+)", UNIT)
    assert Path(cache, "likeness") == Path("/var/cache", folder)


def _as_the_container_starts(monkeypatch: pytest.MonkeyPatch, end: int) -> tuple[list[str], object]:
    """Return what the program of the container orders, and how it ends if that ends with `end`."""
    [copied] = re.findall(r"(?m)^COPY (\S+) /opt/serve\.py$", CONTAINER)
    orders: list[str] = []

    def ordered(arguments: list[str], _name: str) -> None:
        orders.extend(arguments)
        raise SystemExit(end)

    found = re.findall(r"(?m)^(?:ENTRYPOINT|CMD) (\[.*\])$", CONTAINER)
    words = [word for line in found for word in json.loads(line)]
    assert words[:2] == ["python", "/opt/serve.py"]
    monkeypatch.setattr("likeness.cli.main", ordered)
    monkeypatch.setattr("sys.argv", words[1:])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(REPOSITORY / copied))
    return orders, ended.value.code


def test_the_container_starts_what_the_command_takes_and_asks_where_it_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as container:
        [command, *arguments], _ = _as_the_container_starts(container, 0)
    main.commands[command].make_context(command, arguments)
    assert re.findall(r"127\.0\.0\.1:(\d+)", CONTAINER) == re.findall(
        r"LIKENESS_HEALTH_PORT=(\d+)", CONTAINER
    )
    assert "STOPSIGNAL SIGTERM" in CONTAINER


@pytest.mark.parametrize("code", [0, 1, 2, 69, 75, 78])
def test_the_container_is_started_again_only_where_that_may_help(
    monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    [given_up] = re.findall(r"RestartPreventExitStatus=(.+)", UNIT)
    wanted = 0 if str(code) in given_up.split() else code
    assert _as_the_container_starts(monkeypatch, code)[1] == wanted
    assert "--restart on-failure " in CONTAINER


def test_the_container_is_made_of_the_program_and_nothing_private() -> None:
    lines = (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").split("\n")
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    let_in = {rule.removeprefix("!") for rule in rules if rule.startswith("!")}
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    made_of = project["tool"]["setuptools"]
    packages = {name.split(".")[0] for name in made_of["packages"]}
    needed = packages | set(made_of["package-dir"].values()) | {project["project"]["readme"]}
    needed |= {
        "pyproject.toml",
        "constraints.txt",
        "deploy/serve.py",
        *project["project"]["license-files"],
    }
    assert let_in == needed
    assert all((REPOSITORY / name).exists() for name in let_in)
    [extra] = re.findall(r"likeness\[(\w+)\]", CONTAINER)
    assert extra in project["project"]["optional-dependencies"]


def test_the_container_s_python_is_one_that_the_project_takes() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    least = tuple(map(int, project["requires-python"].removeprefix(">=").split(".")))
    versions = re.findall(r"(?m)^FROM python:(\d+)\.(\d+)", CONTAINER)
    assert len(versions) == 2
    assert all(tuple(map(int, version)) >= least for version in versions)
