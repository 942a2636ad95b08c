"""`penstock stream --state`: the memory in a file, and going on from it, also after a kill."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from penstock.cli.stream_state import KeptState
from penstock.errors import InputError
from penstock.runtime import load, notes

LINES = ["good food", "不好", "rude staff", "", "kind", "very bad food", "好", "staff", "", "good", "bad"]
TEXT = "".join(f"{line}\n" for line in LINES).encode()
FIRST = "".join(f"{line}\n" for line in LINES[:6]).encode()


def test_two_runs_answer_as_one(penstock, saved, tmp_path):
    whole = penstock("stream", saved, stdin=TEXT).out
    state = tmp_path / "state"
    first = penstock("stream", saved, "--state", state, stdin=FIRST)
    assert notes(state.read_bytes()) == {"line": 6}
    rest = penstock("stream", saved, "--state", state, stdin=TEXT[len(FIRST) :])
    assert "goes on after line 6" in rest.err
    assert first.out + rest.out == whole
    assert notes(state.read_bytes()) == {"line": len(LINES)}
    assert [path.name for path in tmp_path.iterdir()] == ["state"]


def test_the_same_input_once_more_is_passed_over_on_request(penstock, saved, tmp_path):
    state = tmp_path / "state"
    first = penstock("stream", saved, "--state", state, stdin=FIRST).out
    rest = penstock("stream", saved, "--state", state, "--skip", stdin=TEXT)
    assert first + rest.out == penstock("stream", saved, stdin=TEXT).out
    assert penstock("stream", saved, "--skip", stdin=TEXT).code == 2


@pytest.mark.slow
def test_a_killed_stream_continues_with_the_same_bits(saved, tmp_path):
    state = tmp_path / "state"
    command = [sys.executable, "-m", "penstock", "stream", str(saved), "--state", str(state)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        running.stdin.write(FIRST)
        running.stdin.flush()
        answers = [running.stdout.readline() for _ in range(5)]  # one of the six lines is empty
        end = time.monotonic() + 30
        while not (state.exists() and notes(state.read_bytes())["line"] == 6) and time.monotonic() < end:
            time.sleep(0.05)
        os.kill(running.pid, signal.SIGKILL)
    rest = subprocess.run([*command, "--skip"], input=TEXT, capture_output=True, check=True).stdout
    alone = subprocess.run(command[:5], input=TEXT, capture_output=True, check=True).stdout
    assert b"".join(answers) + rest == alone


@pytest.mark.slow
def test_ctrl_c_for_a_whole_pipe_leaves_a_state_to_continue_from(saved, tmp_path):
    """It ends the program that writes too, so that the input's end comes with it."""
    state = tmp_path / "state"
    command = [sys.executable, "-m", "penstock", "stream", str(saved), "--state", str(state)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        running.stdin.write(b"good\nbad\n")
        running.stdin.flush()
        assert all(running.stdout.readline() for _ in range(2))
        time.sleep(0.1)
        running.send_signal(signal.SIGINT)
        running.stdin.close()
        assert running.wait() == 130
    assert notes(state.read_bytes()) == {"line": 2}


def test_a_bad_line_leaves_a_state_to_continue_from(penstock, saved, tmp_path):
    state = tmp_path / "state"
    result = penstock("stream", saved, "--state", state, stdin=FIRST + b"\xff\n")
    assert result.code == 2
    assert notes(state.read_bytes()) == {"line": 6}


def test_a_line_that_the_stream_refuses_leaves_a_state_to_continue_from(saved, tmp_path):
    stream = load(saved).stream()

    def read():
        with KeptState(tmp_path / "state", stream) as kept:
            with kept.item():
                stream.push("good")
            with kept.item():
                stream.push(5)

    with pytest.raises(InputError, match="must be text"):
        read()
    again = load(saved).stream()
    again.push("good")
    assert (tmp_path / "state").read_bytes() == again.save(line=1)


def test_a_line_broken_off_is_not_kept(saved, tmp_path):
    model = load(saved)
    stream = model.stream()

    def read():
        with KeptState(tmp_path / "state", stream) as kept:
            with kept.item():
                stream.push("good")
            kept._write()
            with kept.item():
                stream.push("bad")
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read()
    again = model.stream()
    again.push("good")
    assert (tmp_path / "state").read_bytes() == again.save(line=1)


@pytest.mark.parametrize("cut", [0, 10, -1])
def test_a_damaged_state_is_refused_and_kept(penstock, saved, tmp_path, cut):
    state = tmp_path / "state"
    penstock("stream", saved, "--state", state, stdin=FIRST)
    damaged = state.read_bytes()[:cut]
    state.write_bytes(damaged)
    result = penstock("stream", saved, "--state", state, stdin=TEXT)
    assert (result.code, result.out) == (2, "")
    assert "state" in result.err
    assert state.read_bytes() == damaged


def test_a_state_that_the_stream_itself_saved_has_no_line(penstock, saved, tmp_path):
    state = tmp_path / "state"
    state.write_bytes(load(saved).stream().save())
    assert "was not written by penstock stream --state" in penstock("stream", saved, "--state", state).err


def test_two_streams_on_one_file_are_refused(penstock, saved, tmp_path):
    state = tmp_path / "state"
    with KeptState(state, load(saved).stream()):
        second = penstock("stream", saved, "--state", state, stdin=FIRST)
        assert (second.code, second.out, second.err.count("\n")) == (2, "", 1)
        assert "another stream keeps its memory there now" in second.err
    assert penstock("stream", saved, "--state", state, stdin=FIRST).code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["state"]


def test_a_place_that_can_not_be_written_is_said(penstock, saved, tmp_path):
    result = penstock("stream", saved, "--state", tmp_path, stdin=FIRST)
    assert result.code == 2
    assert "expected a file" in result.err
    (tmp_path / "folder").mkdir()
    kept = KeptState(tmp_path / "folder" / "state", load(saved).stream())
    (tmp_path / "folder").rmdir()
    with pytest.raises(InputError, match="can't be written"):
        kept._write()


def test_answers_are_those_of_json(penstock, saved):
    (answer,) = penstock("stream", saved, stdin="好\n".encode()).out.splitlines()
    assert set(json.loads(answer)) == {"prediction", "probabilities"}
