"""The ragged container against plain lists of arrays."""

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.errors import DtypeError, LengthsError, ShapeError
from penstock.sequences import Sequences

lengths_of_sequences = st.lists(st.integers(0, 7), max_size=9)


def arrays_of(lengths, features=None):
    random = np.random.default_rng(0)
    shapes = [(n,) if features is None else (n, features) for n in lengths]
    return [random.normal(size=shape).astype(np.float32) for shape in shapes]


@pytest.mark.parametrize("size", [1, 3, 4, 10])
def test_pieces_are_all_values_in_order(size):
    sequences = Sequences.from_list(arrays_of([3, 0, 1]))
    pieces = list(sequences.pieces(size))
    np.testing.assert_array_equal(np.concatenate(pieces), sequences.values)
    assert [len(piece) for piece in pieces[:-1]] == [size] * (len(pieces) - 1)


@settings(max_examples=40, deadline=None)
@given(lengths=lengths_of_sequences, features=st.sampled_from([None, 1, 3]), data=st.data())
def test_indexing_and_padding_equal_the_list(lengths, features, data):
    arrays = arrays_of(lengths, features)
    sequences = Sequences.from_list(arrays)
    assert len(sequences) == len(arrays)
    assert sequences.lengths.tolist() == lengths
    chosen = data.draw(st.lists(st.integers(0, len(arrays) - 1), max_size=6)) if arrays else []

    taken = sequences[np.array(chosen, np.int64)]
    with patch("penstock.sequences._LONG", data.draw(st.sampled_from([0, 2, 1024]))):
        batch = sequences.pad(chosen)

    assert batch.lengths.tolist() == [len(arrays[i]) for i in chosen]
    for position, i in enumerate(chosen):
        np.testing.assert_array_equal(sequences[i], arrays[i])
        np.testing.assert_array_equal(taken[position], arrays[i])
        np.testing.assert_array_equal(batch.values[position, : lengths[i]], arrays[i])
        assert not batch.values[position, lengths[i] :].any()
    assert all(np.array_equal(one, other) for one, other in zip(sequences, arrays, strict=True))


def test_slices_masks_and_negative_numbers():
    arrays = arrays_of([2, 0, 3, 1])
    sequences = Sequences.from_list(arrays)
    np.testing.assert_array_equal(sequences[-2], arrays[2])
    assert sequences[::-1].lengths.tolist() == [1, 3, 0, 2]
    assert sequences[np.array([True, False, True, False])].lengths.tolist() == [2, 3]
    assert sequences[1:1].lengths.tolist() == []
    assert sequences[[]].lengths.tolist() == []
    assert sequences.pad().values.shape == (4, 3)
    assert sequences.pad([1]).values.shape == (1, 0)
    assert sequences.pad([]).values.shape == (0, 0)


def test_one_sequence_is_a_view():
    sequences = Sequences.from_list([[1, 2], [3]], np.int32)
    assert sequences.values.dtype == np.int32
    assert np.shares_memory(sequences[0], sequences.values)


def test_out_of_range_is_an_index_error():
    sequences = Sequences.from_list([[1, 2], [3]])
    with pytest.raises(IndexError, match="sequence 2 of 2"):
        sequences[2]
    with pytest.raises(IndexError):
        sequences.pad([0, 5])


@pytest.mark.parametrize(
    ("values", "offsets", "error", "message"),
    [
        (np.zeros((2, 2, 2)), [0, 2], ShapeError, r"\(total,\) or \(total, features\); got \(2, 2, 2\)"),
        (np.zeros(3), [], ShapeError, r"\(sequences \+ 1,\)"),
        (np.zeros(3), [[0, 3]], ShapeError, r"got \(1, 2\)"),
        (np.zeros(3), [0.0, 3.0], DtypeError, "float64"),
        (np.zeros(3), [0, 2], LengthsError, "the 3 steps of values; got 0 to 2"),
        (np.zeros(3), [1, 3], LengthsError, "got 1 to 3"),
        (np.zeros(3), [0, 2, 1, 3], LengthsError, "decreasing in between"),
    ],
)
def test_what_does_not_fit_is_refused(values, offsets, error, message):
    with pytest.raises(error, match=message):
        Sequences(values, np.array(offsets))


def test_unequal_features_are_refused():
    with pytest.raises(ShapeError, match=r"sequence 0 is \(2, 3\), sequence 1 is \(2, 4\)"):
        Sequences.from_list([np.zeros((2, 3)), np.zeros((2, 4))])


def test_padding_with_another_value_and_places_of_steps():
    sequences = Sequences.from_list([[1, 2], [], [3, 4, 5]], np.int64)
    batch = sequences.pad([2, 0, 1], fill=-100)
    assert batch.values.tolist() == [[3, 4, 5], [1, 2, -100], [-100, -100, -100]]
    assert batch.lengths.tolist() == [3, 2, 0]
    assert sequences.places([2, 1, 0]).tolist() == [2, 3, 4, 0, 1]
    assert sequences.places([1]).tolist() == []
    np.testing.assert_array_equal(sequences.values[sequences.places([2, 0])], [3, 4, 5, 1, 2])
