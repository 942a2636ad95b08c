"""A step of the compiled engine allocates nothing and takes no mutex, as a real-time thread needs it."""

import platform
import shutil
import subprocess
from pathlib import Path

import pytest

CPP = Path(__file__).parents[2] / "cpp"


@pytest.mark.slow
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's functions of memory are counted")
@pytest.mark.skipif(not shutil.which("c++"), reason="no C++ compiler called c++")
def test_a_step_allocates_nothing_and_takes_no_mutex(engine_archive, tmp_path):
    program, source = tmp_path / "allocation_test", CPP / "tests" / "allocation_test.cpp"
    parts = [f"-I{CPP / 'include'}", source, engine_archive, "-pthread", "-ldl", "-o", program]
    subprocess.run(["c++", "-std=c++20", "-O1", *parts], check=True)
    done = subprocess.run([program], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert done.stdout.strip().endswith(": 0 failures")
