"""Compiling and packing: once, whole, and a reason where it cannot be."""

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
from bot.engine.native import build, open_native, packed
from bot.engine.native.build import PLAIN, CannotBuild
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


def no_compiler(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)


@pytest.fixture
def compiler(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], Path]:
    """Return what replaces the compiler by a script; `$made` is what it shall write."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def put(script: str) -> Path:
        path = tmp_path / "compiler"
        path.write_text(f"#!/bin/sh\nfor made; do :; done\n{script}\n")
        path.chmod(0o700)
        monkeypatch.setenv("CXX", str(path))
        return tmp_path / "cache/likeness"

    return put


AN_EMPTY_LIBRARY = 'exec c++ -shared -x c++ /dev/null -o "$made"'


def test_the_kernel_is_compiled_once(
    compiler: Callable[[str], Path], caplog: pytest.LogCaptureFixture
) -> None:
    cache = compiler(AN_EMPTY_LIBRARY)
    caplog.set_level(logging.INFO)
    first, second = build.load(PLAIN), build.load(PLAIN)
    assert first._handle == second._handle
    assert [path.suffix for path in cache.iterdir()] == [".so"]
    assert caplog.text.count("Compiling") == 1


def _cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _lose_the_end(content: bytes) -> bytes:
    return content[:-1] + b"\xff"


def _lose_all(_: bytes) -> bytes:
    return b""


@pytest.mark.parametrize("damage", [_cut, _lose_the_end, _lose_all])
def test_a_kept_kernel_that_is_not_whole_is_compiled_anew(
    compiler: Callable[[str], Path],
    damage: Callable[[bytes], bytes],
    caplog: pytest.LogCaptureFixture,
) -> None:
    cache = compiler(AN_EMPTY_LIBRARY)
    caplog.set_level(logging.INFO)
    build.load(PLAIN)
    (path,) = cache.iterdir()
    whole = path.read_bytes()
    path.unlink()  # this process still has its pages
    path.write_bytes(damage(whole))
    build.load(PLAIN)
    assert caplog.text.count("Compiling") == 2
    assert path.read_bytes() == whole


def test_a_kept_kernel_that_does_not_load_any_more_is_compiled_anew(
    compiler: Callable[[str], Path],
) -> None:
    cache = compiler(AN_EMPTY_LIBRARY)
    cache.mkdir(parents=True)
    older = b"for another machine"
    name = f"{build._name(PLAIN)}-{build._checksum(older)}.so"
    (cache / name).write_bytes(older)
    build.load(PLAIN)
    assert [path.read_bytes() == older for path in cache.iterdir()] == [False]


def test_without_a_compiler_it_says_so(
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    no_compiler(monkeypatch, tmp_path)
    caplog.set_level(logging.INFO)
    with pytest.raises(CannotBuild, match=r"no C\+\+ compiler"):
        build.load()
    assert open_native(folder) is None
    assert "no C++ compiler" in caplog.text


def test_a_compiler_that_refuses_is_one_sentence(compiler: Callable[[str], Path]) -> None:
    compiler("echo 'error: too modern' >&2; echo more >&2; exit 1")
    with pytest.raises(CannotBuild, match="too modern") as caught:
        build.load()
    assert "\n" not in str(caught.value)


def test_a_library_that_is_none_is_one_sentence_and_not_kept(
    compiler: Callable[[str], Path],
) -> None:
    cache = compiler('echo made > "$made"')
    with pytest.raises(CannotBuild, match="cannot be loaded"):
        build.load()
    assert not list(cache.iterdir())


def test_without_a_home_it_says_so(
    monkeypatch: pytest.MonkeyPatch, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    caplog.set_level(logging.INFO)
    assert open_native(folder) is None
    assert "set XDG_CACHE_HOME" in caplog.text


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
