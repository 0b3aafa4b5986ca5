"""The kernel's library: compiled for this processor where it is first needed, and kept."""

import ctypes
import functools
import hashlib
import logging
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

log = logging.getLogger(__name__)

_SOURCES = Path(__file__).parent
_FLAGS = ("-std=c++17", "-O2", "-ffp-contract=fast", "-fPIC", "-shared", "-pthread", "-Wno-psabi")
_PATIENCE_SECONDS = 120


class CannotBuild(Exception):
    """There is no compiler, none that takes the sources, or no place to keep what it makes."""


@dataclass(frozen=True, slots=True)
class Level:
    """What a processor can do, and how the compiler is told.

    Attributes:
        name: For people.
        needs: Features, as Linux names them in /proc/cpuinfo.
        flags: For the compiler.
    """

    name: str
    needs: frozenset[str]
    flags: tuple[str, ...]


_AVX2 = frozenset({"avx2", "fma", "f16c", "bmi1", "bmi2"})
_AVX512 = _AVX2 | {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl", "avx512_vnni"}
PLAIN = Level("plain", frozenset(), ())
LEVELS = (
    Level(
        "amx",
        _AVX512 | {"amx_tile", "amx_int8"},
        ("-march=x86-64-v4", "-mavx512vnni", "-mamx-tile", "-mamx-int8"),
    ),
    Level("avx512-vnni", _AVX512, ("-march=x86-64-v4", "-mavx512vnni")),
    Level("avx-vnni", _AVX2 | {"avx_vnni"}, ("-march=x86-64-v3", "-mavxvnni")),
    Level("avx2", _AVX2, ("-march=x86-64-v3",)),
    PLAIN,
)
"""The fastest first."""


def fitting_levels() -> list[Level]:
    """Return the levels that this processor has, the fastest first."""
    features = _features()
    return [level for level in LEVELS if level.needs <= features]


def library(level: Level | None = None) -> Path:
    """Return the compiled kernel; compile it where that has not happened yet.

    Args:
        level: What to compile for; None for the best that processor and compiler know.

    Raises:
        CannotBuild: There is no compiler, or none that takes the sources.
    """
    reason = ""
    for candidate in [level] if level else fitting_levels():
        path = _cache() / f"kernel-{candidate.name}-{_fingerprint(candidate)}.so"
        if path.exists():
            return path
        try:
            return _compile(candidate, path)
        except subprocess.CalledProcessError as error:
            reason = error.stderr.strip().split("\n")[0]
        except (subprocess.TimeoutExpired, OSError) as error:
            raise CannotBuild(f"The kernel cannot be compiled: {error}.") from error
    raise CannotBuild(f"The compiler does not take the kernel: {reason}.")


def load(level: Level | None = None) -> ctypes.CDLL:
    """Load the compiled kernel.

    Raises:
        CannotBuild: There is no compiler, or none that takes the sources.
    """
    path = library(level)
    try:
        return ctypes.CDLL(str(path))
    except OSError as error:
        raise CannotBuild(f"The compiled kernel {path} cannot be loaded: {error}.") from error


def _compile(level: Level, path: Path) -> Path:
    """Compile beside the place and move there, so that two processes do not disturb each other."""
    command = _compiler()
    log.info("Compiling the kernel for %s, once: some seconds", level.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        made = Path(folder, path.name)
        source = str(_SOURCES / "kernel.cpp")
        subprocess.run(  # noqa: S603 (the compiler that this machine's owner chose)
            [*command, *_FLAGS, *level.flags, source, "-o", str(made)],
            check=True,
            capture_output=True,
            text=True,
            timeout=_PATIENCE_SECONDS,
        )
        made.replace(path)
    return path


def _compiler() -> list[str]:
    for name in (os.environ.get("CXX", ""), "c++", "g++", "clang++"):
        found = name and shutil.which(name)
        if found:
            return [found]
    if find_spec("ziglang"):
        return [sys.executable, "-m", "ziglang", "c++"]
    raise CannotBuild("There is no C++ compiler (c++, g++, clang++, or `pip install ziglang`).")


@functools.cache
def _sources() -> bytes:
    paths = sorted([*_SOURCES.glob("*.h"), *_SOURCES.glob("*.cpp")])
    return b"".join(path.name.encode() + path.read_bytes() for path in paths)


def _fingerprint(level: Level) -> str:
    text = " ".join([os.environ.get("CXX", ""), *_FLAGS, *level.flags, platform.platform()])
    return hashlib.sha256(_sources() + text.encode()).hexdigest()[:16]


def _cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(home) if home else Path.home() / ".cache") / "likeness"
    except RuntimeError as error:
        raise CannotBuild("There is no home to keep the kernel in: set XDG_CACHE_HOME.") from error


@functools.cache
def _features() -> frozenset[str]:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").split("\n")
    except OSError:
        return frozenset()
    for line in lines:
        name, _, value = line.partition(":")
        if name.strip() == "flags":
            return frozenset(value.split())
    return frozenset()
