"""How many instructions key work takes on the AVX2 path: what no noise moves, where a clock's reading would.

A change that makes a count rise for a good reason writes the new one into instruction_counts.json; the message of the
failed test has them all.
"""

import json
import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="instructions of AVX2 are counted"),
    pytest.mark.skipif(not shutil.which("valgrind"), reason="no valgrind: install valgrind"),
    pytest.mark.skipif(not shutil.which("c++"), reason="no C++ compiler called c++"),
]

EXPECTED = json.loads(Path(__file__).with_name("instruction_counts.json").read_text())
CPP = Path(__file__).parents[2] / "cpp"
# A compiler's minor releases and libc's copies of memory move counts by less.
SLACK = 1.01


def compiler_of(archive: Path) -> str:
    """What built the engine, as its objects say: GCC 12.2.0, for example."""
    found = re.search(rb"GCC: \([^)]*\) (\d+\.\d+\.\d+)\0", archive.read_bytes())
    return f"GCC {found[1].decode()}" if found else "another one than GCC"


@pytest.fixture(scope="module")
def engine_test(engine_archive, tmp_path_factory) -> Path:
    """cpp/tests/engine_test.cpp with the very objects that the extension has."""
    compiler, known = compiler_of(engine_archive), EXPECTED["compiler"]
    if compiler.split(".")[0] != known.split(".")[0]:
        pytest.skip(f"the counts hold for {known}; the engine was built by {compiler}")
    program = tmp_path_factory.mktemp("count") / "engine_test"
    source = [CPP / "tests" / "engine_test.cpp", engine_archive]
    subprocess.run(["c++", "-std=c++20", "-O1", f"-I{CPP / 'include'}", *source, "-pthread", "-o", program], check=True)
    return program


def count(engine_test: Path, work: str) -> int:
    # Valgrind knows no AVX-512 and hides it from the program; with AVX2 forced, nothing depends on that.
    done = subprocess.run(
        [
            "valgrind",
            "--tool=callgrind",
            "--callgrind-out-file=/dev/null",
            "--toggle-collect=*counted*",
            engine_test,
            "count",
            work,
        ],
        env={**os.environ, "PENSTOCK_ISA": "avx2"},
        capture_output=True,
        text=True,
    )
    if "avx2" not in done.stdout and not done.returncode:
        pytest.skip("this machine has no AVX2")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"avx2: {work}\n"
    collected = re.search(r"Collected : (\d+)", done.stderr)
    assert collected, done.stderr
    return int(collected[1])


@pytest.mark.slow
def test_no_work_takes_more_instructions_than_it_did(engine_test):
    known = EXPECTED["counts"]
    counts = {work: count(engine_test, work) for work in known}
    risen = [work for work in known if counts[work] > SLACK * known[work]]
    assert risen == [], f"instruction_counts.json would be {json.dumps({**EXPECTED, 'counts': counts}, indent=2)}"
