"""What is kept packed beside a model, and what is left to others."""

import errno
import json
import logging
import mmap
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from bot.engine.models import Reading
from bot.engine.native import open_native, packed
from bot.engine.native.pack import WEIGHTS
from bot.engine.native.packed import FILE_NAME, Packed


@pytest.fixture
def folder(tiny_model: Path, tmp_path: Path) -> Path:
    """Copy the tiny model, to change it."""
    copy = Path(shutil.copytree(tiny_model, tmp_path / "tiny"))
    (copy / FILE_NAME).unlink(missing_ok=True)
    return copy


def logits(folder: Path) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
    model = open_native(folder)
    assert model is not None
    return model.read([Reading(model.cache(), [3, 1, 4])])[0]


def test_without_huge_pages_it_computes_on_small_ones(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    class Small(mmap.mmap):
        def madvise(self, *_: int) -> None:
            raise OSError(errno.EINVAL, "Invalid argument")

    usual = logits(folder)
    monkeypatch.setattr(mmap, "mmap", Small)
    assert (logits(folder) == usual).all()


@pytest.mark.parametrize("fault", [MemoryError(), OSError(errno.ENOMEM, "No memory")], ids=repr)
def test_without_memory_it_is_left_to_others(
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    fault: Exception,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refuse(_: int) -> None:
        raise fault

    monkeypatch.setattr(packed, "_memory", refuse)
    caplog.set_level(logging.INFO)
    assert open_native(folder) is None
    assert "computed by torch: the kernel cannot start" in caplog.text


def test_packed_weights_are_kept_and_read_again(folder: Path) -> None:
    first = logits(folder)
    assert Packed.load(folder) is not None
    written = (folder / FILE_NAME).stat().st_mtime_ns
    assert (logits(folder) == first).all()
    assert (folder / FILE_NAME).stat().st_mtime_ns == written


def test_packed_weights_are_as_private_as_the_folder(folder: Path) -> None:
    logits(folder)
    assert stat.S_IMODE((folder / FILE_NAME).stat().st_mode) == 0o600


def _touch(folder: Path) -> None:
    os.utime(folder / "model.safetensors", (1, 1))


def _shorten(folder: Path) -> None:
    path = folder / FILE_NAME
    path.write_bytes(path.read_bytes()[:-100])


def _spoil(folder: Path) -> None:
    (folder / FILE_NAME).write_bytes(b"\xff\n" * 5000)


def _other_version(folder: Path) -> None:
    path = folder / FILE_NAME
    path.write_bytes(path.read_bytes().replace(b'"v": ', b'"v": 9', 1))


def _no_size(folder: Path) -> None:
    path = folder / FILE_NAME
    path.write_bytes(path.read_bytes().replace(b'"size": ', b'"size": ' + b"9" * 30, 1))


@pytest.mark.parametrize("change", [_touch, _shorten, _spoil, _other_version, _no_size])
def test_packed_weights_that_do_not_fit_are_made_anew(
    folder: Path, change: Callable[[Path], None]
) -> None:
    first = logits(folder)
    change(folder)
    assert Packed.load(folder) is None
    assert (logits(folder) == first).all()
    assert Packed.load(folder) is not None


def test_a_folder_that_cannot_be_written_works_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = logits(folder)
    (folder / FILE_NAME).unlink()

    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("likeness.files.tempfile.mkstemp", refuse)
    assert (logits(folder) == first).all()
    assert not (folder / FILE_NAME).exists()


@pytest.mark.parametrize(
    "change",
    [
        {"model_type": "llama"},
        {"activation_function": "relu"},
        {"n_head": 4},
        {"scale_attn_by_inverse_layer_idx": True},
        {"tie_word_embeddings": False},
        {"n_embd": None},
        {"n_layer": 3},
        {"vocab_size": 5000},
    ],
    ids=str,
)
def test_a_model_that_the_kernel_does_not_know_is_left_to_others(
    folder: Path, change: dict[str, object]
) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **change}))
    assert open_native(folder) is None


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_what_cannot_be_read_is_left_to_others(folder: Path, name: str) -> None:
    (folder / name).write_text("[]")
    assert open_native(folder) is None
    (folder / name).unlink()
    assert open_native(folder) is None


@pytest.mark.parametrize("number", [np.nan, np.inf])
@pytest.mark.parametrize("name", ["mlp.c_fc.weight", "ln_2.bias"])
def test_weights_that_are_no_numbers_are_not_rounded_to_some(
    folder: Path, name: str, number: float, caplog: pytest.LogCaptureFixture
) -> None:
    weights = load_file(folder / WEIGHTS)
    (found,) = (weight for weight in weights if weight.endswith(f"h.0.{name}"))
    weights[found].reshape(-1)[3] = number
    save_file(weights, folder / WEIGHTS)
    caplog.set_level(logging.INFO)
    assert open_native(folder) is None
    assert "hold what is no number" in caplog.text
