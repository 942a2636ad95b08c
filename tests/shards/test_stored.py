"""Sequences on disk are those in memory, and a prepared data set is whole or made again."""

import pickle
import shutil

import numpy as np
import pytest

from penstock.datasets import Rows
from penstock.errors import InputError
from penstock.sequences import Sequences
from penstock.shards import Cache, StoredTokens, writer
from penstock.shards.writer import narrow


@pytest.fixture
def sequences():
    draw = np.random.default_rng(0)
    lengths = draw.integers(0, 9, 23)
    return Sequences(
        draw.integers(0, 500, (lengths.sum(), 2)).astype(np.int32), np.concatenate([[0], lengths.cumsum()])
    )


@pytest.fixture
def prepared(sequences, tmp_path, monkeypatch):
    """A function that opens the data set; `made` counts how often it was prepared."""
    monkeypatch.setattr(writer, "_NUMBERS", 80)  # several files

    def make(to):
        opened.made += 1
        for start in range(0, 23, 4):
            rows = narrow(sequences[start : start + 4], 500)
            to.add(rows, np.arange(start, start + len(rows), dtype=np.int32))
        to.keep("valid", Rows(["a", "中"], [1, "x"]))
        return {"known": [1, "b"]}

    def opened(**more):
        return Cache(tmp_path / "cache", {"files": [1], **more}, make)

    opened.made = 0
    return opened


def test_batches_from_disk_are_those_in_memory_whether_expected_or_not(prepared, sequences):
    stored = prepared().sequences()
    draw = np.random.default_rng(1)
    batches = [draw.permutation(23)[:size] for size in (5, 1, 7, 23)]
    stored.expect(batches[:3])
    for batch in (batches[1], batches[2], batches[3]):  # one that was expected is passed over, one was not expected
        found, truth = stored.pad(batch), sequences.pad(batch)
        np.testing.assert_array_equal(found.values, truth.values)
        np.testing.assert_array_equal(found.lengths, truth.lengths)
        assert found.values.dtype == truth.values.dtype
    np.testing.assert_array_equal(stored.lengths, sequences.lengths)
    assert stored.targets(np.int64).tolist() == list(range(23))
    assert stored.waited > 0


def test_a_file_that_is_cut_short_while_it_is_read_is_named(prepared):
    stored = prepared().sequences()
    path = stored._paths[-1]
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(InputError, match=f"{path.name}: was cut short"):
        stored.pad(np.array([0, 22]))


def test_tokens_that_are_not_there_are_named_with_what_to_do(tmp_path):
    with pytest.raises(InputError, match=r"ids: can't be read.*a folder that all of them have"):
        StoredTokens.opened(tmp_path / "ids", np.int32, np.array([0, 1]))


def test_some_rows_of_a_part_are_those_in_memory_and_reach_another_process(sequences, tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "_NUMBERS", 30)

    def make(to):
        for part, shift in (("rows", 0), ("other", 1)):
            to.add(sequences[shift:], np.arange(shift, 23), part)
        for row in range(23):  # one by one, as recordings come
            to.add(sequences[row : row + 1], np.full(1, row), "single")
        return {}

    cache = Cache(tmp_path, {}, make)
    rows = np.array([4, 22, 0, 7])
    for part, shift in (("rows", 0), ("other", 1), ("single", 0)):
        assert len(cache.sequences(part)) == 23 - shift
        several = rows[rows < 22]
        stored = cache.sequences(part, several)
        for found in (stored, pickle.loads(pickle.dumps(stored))):  # noqa: S301  (our own)
            np.testing.assert_array_equal(found.pad(np.arange(3)).values, sequences.pad(several + shift).values)
            np.testing.assert_array_equal(found.lengths, sequences.lengths[several + shift])
            np.testing.assert_array_equal(found[1], sequences[int(several[1]) + shift])
            assert found.targets(np.int64).tolist() == (several + shift).tolist()
    sent = pickle.dumps(stored)
    shutil.rmtree(cache.path)
    with pytest.raises(InputError, match=r"single-00000\.arrow: can't be read.*a folder that all of them have"):
        pickle.loads(sent)  # noqa: S301  (our own)


def test_a_prepared_data_set_is_used_again_for_the_same_key_alone(prepared):
    first = prepared()
    assert prepared().digest == first.digest
    assert prepared.made == 1
    assert (first.about, first.rows("valid")) == ({"known": [1, "b"]}, Rows(["a", "中"], [1, "x"]))
    assert prepared(option=2).digest != first.digest
    assert prepared.made == 2


@pytest.mark.parametrize(
    ("name", "damage"),
    [("rows-00001.arrow", "flip"), ("valid.arrow", "cut"), ("rows-00000.arrow", "gone")]
    + [("manifest.json", damage) for damage in ("flip", "cut", "gone", "deep")],
)
def test_a_damaged_data_set_is_made_again_and_said(prepared, caplog, name, damage):
    path = prepared().path / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.unlink()
    if damage != "gone":
        path.write_bytes({"flip": data, "cut": data[:-9], "deep": b"[" * 100_000}[damage])
    assert len(prepared().sequences()) == 23
    assert prepared.made == 2
    assert "damaged" in caplog.text
    assert name in caplog.text


def test_a_half_written_data_set_is_removed_by_the_next_one(prepared, tmp_path):
    path = prepared().path
    left = path.with_name(f".{path.name}.0a0b0c0d.new")
    path.rename(left)
    prepared()
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_ids_that_are_appended_are_sequences_in_a_file(tmp_path):
    texts = [np.array(each, np.uint8) for each in ([1, 2, 3], [], [255], [7, 7])]

    def make(to):
        for ids in texts:
            to.append("ids", ids)
            to.append("lengths", np.array([len(ids)], np.int64))
        return {}

    cache = Cache(tmp_path, {}, make)
    stored = cache.tokens("ids", np.uint8, "lengths")
    again = pickle.loads(pickle.dumps(stored))  # noqa: S301  (as workers get it: by its path)
    assert len(pickle.dumps(stored)) < 1000
    for found in (stored, again, cache.tokens("ids", np.uint8, "lengths")):
        assert [each.tolist() for each in found] == [[1, 2, 3], [], [255], [7, 7]]
        found.release()
        assert found[[3, 0]].values.tolist() == [7, 7, 1, 2, 3]
    assert not stored.values.flags.writeable
