"""The state of a training on disk: whole or not at all, checked, and what it says when it is not right."""

import os

import pytest
import torch

from penstock.errors import BundleError, ConfigError
from penstock.training import Checkpoint
from penstock.training import checkpoint as checkpoint_file

STATE = {
    "weights": {"a.b": torch.arange(6.0).reshape(2, 3), "half": torch.ones(3, dtype=torch.bfloat16)},
    "moments": [torch.tensor(3.5), (torch.zeros(0), torch.tensor([True, False]))],
    "big": 2**100,
    "loss": 0.1 + 0.2,
    "nothing": None,
    "name": "ü\n",
    "stopped": False,
}


def assert_state(found, expected=STATE):
    if isinstance(expected, torch.Tensor):
        assert found.dtype == expected.dtype
        assert torch.equal(found, expected)
    elif isinstance(expected, dict):
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            assert_state(found[name], value)
    elif isinstance(expected, list | tuple):
        assert isinstance(found, list)
        for one, other in zip(found, expected, strict=True):
            assert_state(one, other)
    else:
        assert found == expected
        assert type(found) is type(expected)


@pytest.fixture
def kept(tmp_path):
    return Checkpoint(tmp_path / "state", "a")


def test_what_is_written_is_read(kept):
    assert kept.read() is None
    kept.write(STATE)
    assert_state(kept.read())
    assert [file.name for file in kept.path.parent.iterdir()] == ["state"]


def test_tensors_that_share_memory_are_kept_apart(kept):
    whole = torch.arange(8.0).reshape(2, 4)
    shared = {"whole": whole, "same": whole, "column": whole[:, 1], "turned": whole.T}
    kept.write(shared)
    assert_state(kept.read(), shared)


def test_the_one_before_is_kept(kept):
    for number in range(3):
        kept.write({"number": number})
    assert kept.read() == {"number": 2}
    assert Checkpoint(kept.previous, "a").read() == {"number": 1}
    assert sorted(file.name for file in kept.path.parent.iterdir()) == ["state", "state.previous"]


def test_the_one_before_is_kept_without_hard_links(kept, monkeypatch):
    def refuse(*_):
        raise OSError("not on this file system")

    monkeypatch.setattr(os, "link", refuse)
    kept.write({"number": 0})
    kept.write({"number": 1})
    assert (kept.read(), Checkpoint(kept.previous, "a").read()) == ({"number": 1}, {"number": 0})


def test_a_removed_file_is_not_brought_back(kept):
    kept.write({"number": 0})
    kept.write({"number": 1})
    kept.path.unlink()
    assert kept.read() is None


def test_each_flipped_bit_is_noticed(kept):
    """Every byte, one bit of it each."""
    kept.write({"a": torch.arange(3.0), "b": torch.tensor(2), "loss": 0.25, "none": None})
    content = kept.path.read_bytes()
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= 1 << place % 8
        kept.path.write_bytes(changed)
        with pytest.raises(BundleError, match=r"state: can't be read as a checkpoint: .*Remove it"):
            kept.read()


def test_each_cut_is_noticed(kept):
    kept.write({"a": torch.arange(3.0), "loss": 0.25})
    content = kept.path.read_bytes()
    for length in range(len(content)):
        kept.path.write_bytes(content[:length])
        with pytest.raises(BundleError, match="can't be read as a checkpoint"):
            kept.read()


def test_where_it_is_damaged_the_one_before_is_used_and_said(kept):
    kept.write({"number": 0})
    kept.write({"number": 1})
    kept.path.write_bytes(b"\x00" * 40)
    with pytest.warns(UserWarning, match=r"state: can't be read .*resumes from the one before it, state\.previous"):
        assert kept.read() == {"number": 0}
    kept.previous.write_bytes(b"\x01" * 40)
    with pytest.raises(BundleError, match=r"state: can't be read.*; nor can state\.previous: .*Remove it"):
        kept.read()


def test_another_training_is_refused(kept):
    kept.write(STATE)
    with pytest.raises(BundleError, match="other settings or data"):
        Checkpoint(kept.path, "b").read()


def test_a_file_that_is_something_else_is_refused_and_left(tmp_path):
    table = tmp_path / "reviews.csv"
    table.write_text("text,label\ngood,1\n")
    with pytest.raises(BundleError, match="can't be read as a checkpoint"):
        Checkpoint(table, "a").read()
    assert table.read_text() == "text,label\ngood,1\n"


def test_a_missing_folder_is_said_before_training(tmp_path):
    with pytest.raises(BundleError, match="there is no folder"):
        Checkpoint(tmp_path / "missing" / "state", "a").read()


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_write_that_fails_leaves_what_was_there(kept, monkeypatch, call):
    kept.write({"number": 0})

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint_file.os, call, full)
        with pytest.raises(BundleError, match="can't be written: No space left on device"):
            kept.write({"number": 1})
    assert kept.read() == {"number": 0}
    kept.write({"number": 2})
    assert kept.read() == {"number": 2}
    assert sorted(file.name for file in kept.path.parent.iterdir()) == ["state", "state.previous"]


@pytest.mark.parametrize("state", [{"a": object()}, {"a": {1: 2}}, {"a": [b"bytes"]}])
def test_what_it_cannot_hold_is_refused(kept, state):
    with pytest.raises(TypeError, match="a checkpoint"):
        kept.write(state)
    assert kept.read() is None


def test_every_steps_is_a_number_of_steps(tmp_path):
    with pytest.raises(ConfigError, match="every_steps must be a whole number, at least 1"):
        Checkpoint(tmp_path / "state", "a", every_steps=0)


def test_every_seconds_is_a_number_of_seconds(tmp_path):
    with pytest.raises(ConfigError, match="every_seconds must be a number, at least 0"):
        Checkpoint(tmp_path / "state", "a", every_seconds=-1)


def test_regular_writes_take_at_most_2_percent_of_the_time(tmp_path, clock, monkeypatch):
    kept, written = Checkpoint(tmp_path / "state", "a", every_seconds=10), []

    def slow(*_):
        clock[0] += 3

    monkeypatch.setattr(checkpoint_file.os, "replace", slow)
    began = clock[0]
    for step in range(1, 10_000):  # each takes a second, and an epoch ten
        clock[0] += 1
        if kept.is_due(step) or (step % 10 == 0 and kept.is_due_after_epoch()):
            written.append(clock[0] - began)
            kept.write({"number": step})
    assert written[0] == 10
    assert 0.015 < 3 * len(written) / (clock[0] - began) <= 0.02


@pytest.mark.parametrize(("seconds", "due"), [(4, False), (6, True)])
def test_the_end_is_written_if_more_than_a_few_seconds_would_be_lost(tmp_path, clock, seconds, due):
    kept = Checkpoint(tmp_path / "state", "a")
    clock[0] += seconds
    assert (kept.is_due_at_end(), kept.is_due_after_epoch(), kept.is_due(1)) == (due, due, False)
