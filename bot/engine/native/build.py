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
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

log = logging.getLogger(__name__)

_SOURCES = Path(__file__).parent
_FLAGS = ("-std=c++17", "-O2", "-ffp-contract=fast", "-fPIC", "-shared", "-pthread", "-Wno-psabi")
_COMPILERS = ("c++", "g++", "clang++")
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


def load(level: Level | None = None) -> ctypes.CDLL:
    """Load the compiled kernel; compile it where that has not happened yet.

    Args:
        level: What to compile for; None for the best that processor and compilers know.

    Raises:
        CannotBuild: There is no compiler, or none that takes the sources.
    """
    reason = ""
    for candidate in [level] if level else fitting_levels():
        if library := _kept(candidate):
            return library
        for compiler in compilers():
            try:
                return _compile(candidate, compiler)
            except subprocess.CalledProcessError as error:
                complaint, *_ = error.stderr.strip().split("\n")
                reason = f"{compiler[0]} does not take it: {complaint}"
            except subprocess.TimeoutExpired:
                reason = f"{compiler[0]} takes more than {_PATIENCE_SECONDS} seconds"
            except OSError as error:
                reason = str(error)
    raise CannotBuild(f"The kernel cannot be compiled: {reason}.")


def _kept(level: Level) -> ctypes.CDLL | None:
    """Load what was compiled before; what is not whole or does not load any more goes."""
    for path in _cache().glob(f"{_name(level)}-*.so"):
        with suppress(OSError):
            # Where its end is missing, it may load, and kills the process later by SIGBUS.
            if path.stem.endswith(f"-{_checksum(path.read_bytes())}"):
                return ctypes.CDLL(str(path))
        path.unlink(missing_ok=True)
    return None


def _compile(level: Level, compiler: list[str]) -> ctypes.CDLL:
    """Compile beside the place and move there, so that two processes do not disturb each other.

    What does not load is not kept.
    """
    log.info("Compiling the kernel for %s, once: some seconds", level.name)
    cache = _cache()
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        made = Path(folder, "kernel.so")
        source = str(_SOURCES / "kernel.cpp")
        subprocess.run(  # noqa: S603 (the compiler that this machine's owner chose)
            [*compiler, *_FLAGS, *level.flags, source, "-o", str(made)],
            check=True,
            capture_output=True,
            text=True,
            timeout=_PATIENCE_SECONDS,
        )
        library = ctypes.CDLL(str(made))
        made.replace(cache / f"{_name(level)}-{_checksum(made.read_bytes())}.so")
    return library


def compilers() -> list[list[str]]:
    """Return the commands of the C++ compilers here: the one of `CXX` alone where that is set.

    Raises:
        CannotBuild: There is none.
    """
    chosen = os.environ.get("CXX")
    found = [shutil.which(name) for name in ([chosen] if chosen else _COMPILERS)]
    commands = [[path] for path in found if path]
    if not chosen and find_spec("ziglang"):
        commands.append([sys.executable, "-m", "ziglang", "c++"])
    if not commands:
        raise CannotBuild(
            f"{chosen}, which CXX names, is not here."
            if chosen
            else "There is no C++ compiler (c++, g++, clang++, or `pip install ziglang`)."
        )
    return commands


@functools.cache
def _sources() -> bytes:
    paths = sorted([*_SOURCES.glob("*.h"), *_SOURCES.glob("*.cpp")])
    return b"".join(path.name.encode() + path.read_bytes() for path in paths)


def _name(level: Level) -> str:
    """Return how the name of its library begins; the checksum of its content follows."""
    text = " ".join([os.environ.get("CXX", ""), *_FLAGS, *level.flags, platform.platform()])
    return f"kernel-{level.name}-{_checksum(_sources() + text.encode())}"


def _checksum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


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
