"""Which way a model folder is computed: without torch wherever the kernel can be built."""

import subprocess
import sys
from pathlib import Path

import pytest

from bot.engine.native import open_native
from bot.engine.opening import has_gpu, open_local

WITHOUT_TORCH = """
import asyncio, sys
from pathlib import Path
from likeness.cli import main

main(["chat", sys.argv[1], "--device", "cpu", "--prompt", "<speaker2> hi"], standalone_mode=False)
import bot.run, bot.adapters.telegram, bot.adapters.discord
print(sorted({"torch", "transformers"} & set(sys.modules)))
"""


@pytest.fixture
def compiled(tiny_model: Path) -> None:
    """Skip where there is no compiler."""
    model = open_native(tiny_model)
    if model is None:
        pytest.skip("the kernel cannot be built here")
    model.close()


@pytest.mark.slow
@pytest.mark.usefixtures("compiled")
def test_chatting_on_the_processor_loads_no_torch(tiny_model: Path) -> None:
    run = subprocess.run(  # noqa: S603
        [sys.executable, "-c", WITHOUT_TORCH, str(tiny_model)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.splitlines()[-1] == "[]"
    assert run.stdout.startswith("<speaker2> hi\n<speaker1>")


@pytest.mark.usefixtures("compiled")
async def test_it_is_said_once_what_computes_the_model(
    tiny_model: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level("INFO")
    await open_local(tiny_model, "cpu").close()
    assert "compiled kernel" in caplog.text
    monkeypatch.setattr("bot.engine.opening.has_gpu", lambda: False)
    monkeypatch.setattr("bot.engine.opening.open_native", lambda _: None)
    engine = open_local(tiny_model)
    assert type(engine._model).__name__ == "TorchModel"
    await engine.close()


@pytest.mark.usefixtures("compiled")
async def test_a_gpu_that_torch_cannot_use_is_passed_over(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def no_kernel(*_: object, **__: object) -> None:
        raise RuntimeError("CUDA error: no kernel image is available\nand more")

    monkeypatch.setattr("bot.engine.opening.has_gpu", lambda: True)
    monkeypatch.setattr("torch.ones", no_kernel)
    for usable in (False, True):
        monkeypatch.setattr("torch.cuda.is_available", lambda usable=usable: usable)
        engine = open_local(tiny_model)
        assert type(engine._model).__name__ == "NativeModel"
        await engine.close()
    assert "torch cannot use it" in caplog.text


async def test_a_gpu_is_torch_s(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.engine.opening.has_gpu", lambda: True)
    monkeypatch.setattr("bot.engine.opening.torch_computes_there", lambda: True)
    engine = open_local(tiny_model)
    assert type(engine._model).__name__ == "TorchModel"
    await engine.close()


def test_a_gpu_is_found_where_torch_finds_one() -> None:
    import torch

    assert has_gpu() == torch.cuda.is_available()
