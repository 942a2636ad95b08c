"""How many threads the engine uses when nobody says."""

import os

import pytest

from penstock.engine import threads


@pytest.mark.parametrize(
    ("siblings", "cpus", "cores"),
    [({0: "0,2", 1: "1,3", 2: "0,2", 3: "1,3"}, [0, 1, 2, 3], 2), ({0: "0", 1: "1"}, [0, 1], 2), ({}, [0, 5, 6], 3)],
    ids=["two threads a core", "one thread a core", "nothing known"],
)
def test_threads_of_one_core_count_once(tmp_path, siblings, cpus, cores):
    for cpu, text in siblings.items():
        path = tmp_path / f"cpu{cpu}" / "topology" / "thread_siblings_list"
        path.parent.mkdir(parents=True)
        path.write_text(text + "\n")
    assert threads._cores(cpus, tmp_path) == cores


def test_no_more_than_the_machine_has(monkeypatch):
    monkeypatch.setattr(threads, "_chosen", None)
    monkeypatch.delenv("PENSTOCK_NUM_THREADS", raising=False)
    assert 1 <= threads.get_num_threads() <= os.cpu_count()
