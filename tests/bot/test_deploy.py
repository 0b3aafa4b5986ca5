"""The examples of a service: what the tools say of them, and that they say what the bot does."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from bot.settings import Settings
from likeness.cli import main
from likeness.cli.serve import STOP_SECONDS
from likeness.errors import BadSettings

DEPLOY = Path(__file__).parents[2] / "deploy"
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
