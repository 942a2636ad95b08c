"""Folders appear as a whole: tried with a failure and with a crash at every step of writing one."""

import io
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from penstock import folders
from penstock.errors import BundleError

OLD, NEW = {"a": b"old" * 100, "gone": b"1"}, {"a": b"new" * 100, "b": b"2"}


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


class Steps:
    """Counts the steps of a write, and calls `end` in the middle of step number `fatal`."""

    def __init__(self, fatal, end):
        self.fatal, self.end, self.count = fatal, end, 0

    def counted(self, original):
        def step(*args):
            self.count += 1
            if self.count == self.fatal:
                self.end()
            return original(*args)

        return step

    def replacements(self, exchange):
        """What takes the place of the functions that a write calls: (module, name, function)."""
        exchanged = self.counted(folders._exchanged) if exchange else lambda *_: False
        return [
            (os, "mkdir", self.counted(os.mkdir)),
            (os, "rename", self.counted(os.rename)),
            (os, "fsync", self.counted(lambda _: None)),  # no power is lost here, and disks are slow
            (folders, "_exchanged", exchanged),
            (folders, "open", lambda path, mode: Torn(path, mode, self)),
        ]


class Torn(io.FileIO):
    """A file of which half is written when it comes to the worst."""

    def __init__(self, path, mode, steps):
        super().__init__(path, mode)
        self.steps = steps

    def write(self, data):
        half = super().write(data[: len(data) // 2])
        return half + self.steps.counted(super().write)(data[half:])


def crash_at_every_step(place):
    """Write in children that die at step 1, 2, ... until one finishes; print how many steps there were."""
    os.fsync = lambda _: None
    for exchange in (True, False):
        for before in (None, OLD):
            fatal = 0
            while True:
                fatal += 1
                target = place / f"{exchange}-{before is not None}-{fatal}" / "model"
                if before:
                    folders.write_folder(target, before)
                child = os.fork()
                if not child:
                    for where, name, function in Steps(fatal, lambda: os._exit(3)).replacements(exchange):
                        setattr(where, name, function)
                    folders.write_folder(target, NEW)
                    os._exit(0)
                code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
                found = folders.readable(target)
                left = contents(found) if found.exists() else None
                assert left in (before, NEW), (exchange, before, fatal, left)
                folders.write_folder(target, OLD)  # goes on after any crash
                assert contents(target) == OLD
                if code == 0:
                    assert left == NEW
                    print(exchange, before is not None, fatal - 1)
                    break


def test_a_crash_at_any_step_leaves_the_old_folder_or_file_or_the_new_one(tmp_path):
    command = [sys.executable, __file__, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    *lines, new, replaced = [line.split() for line in done.stdout.splitlines()]
    assert (new, replaced) == (["file", "False", "4"], ["file", "True", "4"])
    assert [line[:2] for line in lines] == [["True", "False"], ["True", "True"], ["False", "False"], ["False", "True"]]
    assert all(int(steps) >= 8 for *_, steps in lines)  # a folder, two files written and synced, folders, a rename


@pytest.mark.parametrize("exchange", [True, False])
@pytest.mark.parametrize("before", [None, OLD], ids=["new", "replaced"])
def test_a_failure_at_any_step_leaves_what_was_there_and_nothing_else(tmp_path, monkeypatch, exchange, before):
    def fail():
        raise OSError(28, "No space left on device")

    for fatal in range(1, 40):
        target = tmp_path / str(fatal) / "model"
        target.parent.mkdir()
        if before:
            folders.write_folder(target, before)
        steps = Steps(fatal, fail)
        with monkeypatch.context() as patch:
            for where, name, function in steps.replacements(exchange):
                patch.setattr(where, name, function, raising=False)
            message = outcome(target)
        assert message in ("", f"{target}: can't be written: No space left on device")
        after = contents(target) if target.exists() else None
        assert after in (before, NEW)
        assert [path.name for path in target.parent.iterdir()] == (["model"] if after else [])
        if steps.count < fatal:
            break
    assert fatal > 8


def outcome(target):
    """The message of a write's error, "" if there is none."""
    try:
        folders.write_folder(target, NEW)
    except BundleError as error:
        return str(error)
    return ""


def test_what_crashed_writers_left_is_removed_once_it_is_old(tmp_path):
    for age, name in ((7200, ".model.00000000.new"), (7200, ".model.00000000.old"), (0, ".model.00000001.new")):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    (tmp_path / "model").mkdir()
    folders.write_folder(tmp_path / "model", NEW)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".model.00000001.new", "model"]


def steps_of_a_file(steps):
    """What takes the place of the functions that the write of a file calls."""
    return [(os, "replace", steps.counted(os.replace)), (os, "fsync", steps.counted(lambda _: None))]


def write_half_and_half(target, steps, data, alone):
    with folders.whole_file(target, alone=alone) as new, Torn(new, "wb", steps) as file:
        file.write(data)


@pytest.mark.parametrize("alone", [True, False])
@pytest.mark.parametrize("before", [None, b"old" * 100], ids=["new", "replaced"])
def test_a_file_is_the_old_one_or_the_new_one_after_a_failure_at_any_step(tmp_path, monkeypatch, before, alone):
    def fail():
        raise OSError(28, "No space left on device")

    for fatal in range(1, 20):
        folder = tmp_path / str(fatal)
        folder.mkdir()
        target = folder / "model.onnx"
        if before:
            target.write_bytes(before)
        steps = Steps(fatal, fail)
        with monkeypatch.context() as patch:
            for where, name, function in steps_of_a_file(steps):
                patch.setattr(where, name, function)
            with ExitStack() as failing:
                if fatal < 5:  # half of it, the file synced, renamed, the folder synced
                    failing.enter_context(pytest.raises(OSError, match="No space left on device"))
                write_half_and_half(target, steps, b"new" * 100, alone)
        after = target.read_bytes() if target.exists() else None
        assert after in (before, b"new" * 100)
        assert [path.name for path in folder.iterdir()] == (["model.onnx"] if after else [])
        if steps.count < fatal:
            break
    assert fatal == 5


def crash_at_every_step_of_a_file(place):
    """As `crash_at_every_step`, for a file."""
    for before in (None, b"old" * 100):
        fatal, code = 0, 1
        while code:
            fatal += 1
            target = place / f"files-{before is not None}-{fatal}" / "a"
            target.parent.mkdir()
            if before:
                target.write_bytes(before)
            child = os.fork()
            if not child:
                steps = Steps(fatal, lambda: os._exit(3))
                for where, name, function in steps_of_a_file(steps):
                    setattr(where, name, function)
                write_half_and_half(target, steps, b"new" * 100, True)
                os._exit(0)
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            left = target.read_bytes() if target.exists() else None
            assert left in (before, b"new" * 100), (before, fatal, left)
            assert code or left == b"new" * 100
            with folders.whole_file(target, alone=True) as new:  # goes on after any crash
                new.write_bytes(b"next")
            assert list(target.parent.iterdir()) == [target]
        print("file", before is not None, fatal - 1)


def test_what_killed_writers_of_files_left_is_removed_once_it_is_old(tmp_path):
    for age, name in ((7200, ".a.csv.00000000.new"), (0, ".a.csv.00000001.new"), (7200, ".b.csv.00000000.new")):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    with folders.whole_file(tmp_path / "a.csv") as new:
        new.touch()
    assert sorted(path.name for path in tmp_path.iterdir()) == [".a.csv.00000001.new", ".b.csv.00000000.new", "a.csv"]


if __name__ == "__main__":
    crash_at_every_step(Path(sys.argv[1]))
    crash_at_every_step_of_a_file(Path(sys.argv[1]))
