"""One process at a time, and no lock that outlives its holder."""

import errno
import fcntl
import os
import signal
import subprocess
import sys

import pytest

from penstock.errors import InputError
from penstock.locks import held

HOLDER = """
import sys
from penstock.locks import held
with held(sys.argv[1], "in use"):
    print("held", flush=True)
    sys.stdin.read()
"""


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_lock_is_held_once_and_leaves_nothing(tmp_path):
    with held(tmp_path / "state", "in use"):
        assert names(tmp_path) == [".state.lock"]
        with pytest.raises(InputError, match=r"state: in use$"), held(tmp_path / "." / "state", "in use"):
            raise AssertionError("held twice")
        with held(tmp_path / "other", "in use"):
            pass
        assert names(tmp_path) == [".state.lock"]
    assert names(tmp_path) == []
    with pytest.raises(ZeroDivisionError), held(tmp_path / "state", "in use"):
        raise ZeroDivisionError
    assert names(tmp_path) == []


def test_a_link_is_what_it_leads_to(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "state")
    with held(tmp_path / "link", "in use"), pytest.raises(InputError), held(tmp_path / "state", "in use"):
        raise AssertionError("held twice")


def test_a_path_whose_folder_is_not_there_is_locked_from_above(tmp_path):
    with held(tmp_path / "a" / "b" / "model", "in use"):
        assert names(tmp_path) == [".a+b+model.lock"]
        with pytest.raises(InputError), held(tmp_path / "a" / "b" / "model", "in use"):
            raise AssertionError("held twice")
        with held(tmp_path / "a" / "other", "in use"):
            pass
    assert names(tmp_path) == []


def test_the_lock_of_a_killed_process_blocks_nobody(tmp_path):
    command = [sys.executable, "-c", HOLDER, tmp_path / "state"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(InputError, match="in use"), held(tmp_path / "state", "in use"):
            raise AssertionError("held twice")
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    assert names(tmp_path) == [".state.lock"]
    with held(tmp_path / "state", "in use"):
        pass
    assert names(tmp_path) == []


def test_a_file_that_its_holder_removes_meanwhile_is_made_again(tmp_path, monkeypatch):
    place, lock, before = tmp_path / ".state.lock", fcntl.flock, []

    def late(descriptor, how):
        if not before:
            before.append(os.fstat(descriptor).st_ino)
            place.unlink()  # as by a holder that ends between open and flock
        lock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with held(tmp_path / "state", "in use"), pytest.raises(InputError), held(tmp_path / "state", "in use"):
        raise AssertionError("held twice")
    assert len(before) == 1
    assert names(tmp_path) == []


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP, errno.EIO])
def test_a_file_system_without_locks_is_not_a_reason_to_stop(tmp_path, monkeypatch, code):
    def refuse(descriptor, how):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", refuse)
    if code == errno.EIO:
        with pytest.raises(InputError, match="can't be locked by"), held(tmp_path / "state", "in use"):
            raise AssertionError("held")
    else:
        with held(tmp_path / "state", "in use"):
            assert names(tmp_path) == [".state.lock"]
