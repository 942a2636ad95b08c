"""The thread pool: how many threads a call wakes, and how they share its work."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

# Prints how often each of the engine's threads fell asleep while 300 calls took two of them.
COUNT = """
import time
from pathlib import Path

import numpy as np

from penstock import engine

def sleeps():
    lines = {task.name: (task / "status").read_text().splitlines() for task in Path("/proc/self/task").iterdir()}
    return {name: int(line.split()[1]) for name, found in lines.items() for line in found if line.startswith("volunt")}

before = set(sleeps())
layer = engine.Layer("lstm", 64, 64)
weights = np.full((256, 64), 0.1, np.float32)
layer.load({"weight_ih": weights, "weight_hh": weights, "bias_ih": weights[:, 0], "bias_hh": weights[:, 0]})
engine.set_num_threads(6)
layer(np.ones((40, 64, 64), np.float32))
engine.set_num_threads(2)
x = np.ones((100, 1, 64), np.float32)
time.sleep(0.05)
there = sleeps()
for _ in range(300):
    layer(x)
print(*sorted(count - there[name] for name, count in sleeps().items() if name not in before))
"""


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="no /proc here, which counts what threads do")
def test_threads_that_a_call_does_not_need_sleep_on():
    done = subprocess.run([sys.executable, "-c", COUNT], capture_output=True, text=True, check=True)
    sleeps = [int(word) for word in done.stdout.split()]
    assert len(sleeps) == 5
    assert sleeps[3] == 0


@pytest.mark.skipif(not shutil.which("c++"), reason="no C++ compiler called c++")
def test_threads_share_work_by_their_speed(engine_archive, tmp_path):
    cpp, program = Path(__file__).parents[2] / "cpp", tmp_path / "thread_speed_test"
    source = [cpp / "tests" / "thread_speed_test.cpp", engine_archive]
    options = ["-std=c++20", "-O1", "-ffp-contract=off", "-Wno-psabi", f"-I{cpp / 'include'}"]
    subprocess.run(["c++", *options, *source, "-pthread", "-o", program], check=True)
    done = subprocess.run([program], capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("0 failures\n", 0)
