"""Compiling the kernel: once, whole, and a reason where it cannot be."""

import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.engine.native import build, open_native
from bot.engine.native.build import PLAIN, CannotBuild


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
    tiny_model: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    no_compiler(monkeypatch, tmp_path)
    caplog.set_level(logging.INFO)
    with pytest.raises(CannotBuild, match=r"no C\+\+ compiler"):
        build.load()
    assert open_native(tiny_model) is None
    assert "no C++ compiler" in caplog.text


def test_a_compiler_that_refuses_is_one_sentence(compiler: Callable[[str], Path]) -> None:
    compiler("echo 'error: too modern' >&2; echo more >&2; exit 1")
    with pytest.raises(CannotBuild, match="too modern") as caught:
        build.load()
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_a_compiler_that_is_broken_is_passed_over_for_the_next(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    works = shutil.which("c++")
    if works is None:
        pytest.skip("there is no C++ compiler")
    no_compiler(monkeypatch, tmp_path)
    for name, script in (("c++", "echo 'no tools' >&2; exit 1"), ("g++", f'exec {works} "$@"')):
        (tmp_path / name).write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\n{script}\n")
        (tmp_path / name).chmod(0o700)
    assert build.load(PLAIN)


def test_a_compiler_that_is_asked_for_and_not_there_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(CannotBuild, match=r"^no-such-compiler, which CXX names, is not here\.$"):
        build.load()


def test_a_library_that_is_none_is_one_sentence_and_not_kept(
    compiler: Callable[[str], Path],
) -> None:
    cache = compiler('echo made > "$made"')
    with pytest.raises(CannotBuild, match=r"cannot be compiled: .*kernel\.so"):
        build.load()
    assert not list(cache.iterdir())


def test_without_a_home_it_says_so(
    monkeypatch: pytest.MonkeyPatch, tiny_model: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    caplog.set_level(logging.INFO)
    assert open_native(tiny_model) is None
    assert "set XDG_CACHE_HOME" in caplog.text
