"""The threads of the kernel where the system gives no more of them, or no more memory."""

import subprocess
from pathlib import Path

import pytest

from bot.engine.native import build

PROGRAM = """
#include <sys/resource.h>
#include <cstdio>
#include "pool.h"

int main() {
    const rlimit little{200 << 20, 200 << 20};  // room for the stacks of a few threads
    setrlimit(RLIMIT_AS, &little);
    likeness::Pool pool(100);
    int failed = 0;
    for (int round = 0; round < 50; ++round) {
        std::atomic<int> done{0};
        try {
            pool.run(64, [&](int piece) {
                done.fetch_add(1);
                if (round % 2 && piece % 3 == 0) throw std::bad_alloc();
            });
        } catch (const std::bad_alloc&) {
            ++failed;
        }
        if (done != 64) return 1;
    }
    std::printf("%d\\n", failed);
}
"""


@pytest.mark.slow
def test_fewer_threads_do_the_work_and_one_without_memory_fails_the_step_alone(
    tmp_path: Path,
) -> None:
    try:
        compiler, *_ = build.compilers()
    except build.CannotBuild as error:
        pytest.skip(str(error))
    source, program = tmp_path / "main.cpp", tmp_path / "main"
    source.write_text(PROGRAM)
    headers = Path(build.__file__).parent
    subprocess.run(  # noqa: S603
        [*compiler, "-std=c++17", "-O1", "-pthread", f"-I{headers}", str(source), "-o", program],
        check=True,
    )
    run = subprocess.run([program], capture_output=True, text=True, check=True)  # noqa: S603
    assert run.stdout == "25\n"
