"""The parts of a training whose targets are one for each sequence, or one for each step."""

import numpy as np
import pytest

from penstock.datasets import Rows
from penstock.sequences import Sequences
from penstock.tasks.labelled import Part, prepare


def tags_of(answers, where):
    return Sequences.from_list([np.array(each, np.int64) for each in answers], np.int64)


@pytest.fixture
def tagged():
    """Twenty texts of 0 to 4 letters, a class for each letter."""
    texts = ["abcd"[: k % 5] for k in range(20)]
    return Rows(texts, [[ord(letter) % 2 for letter in text] for text in texts])


def test_a_part_with_targets_for_each_step(tagged):
    part = Part(tagged.inputs, tags_of(tagged.answers, ""))
    assert len(part) == 20
    some = part.take(np.array([4, 0, 2]))
    assert some.inputs == ["abcd", "", "ab"]
    assert [each.tolist() for each in some.targets] == [[1, 0, 1, 0], [], [1, 0]]


def test_a_digest_tells_where_a_sequence_of_targets_ends():
    one, other = (Part(["ab", "a"], Sequences.from_list(each, np.int64)) for each in ([[0, 1], [1]], [[0], [1, 1]]))
    assert one.targets.values.tolist() == other.targets.values.tolist()
    assert one.digest() != other.digest()
    assert one.digest() == Part(["ab", "a"], Sequences.from_list([[0, 1], [1]], np.int64)).digest()


def test_rows_with_targets_for_each_step_are_split_whole(tagged):
    data = prepare(
        tagged,
        None,
        None,
        rows_of=Rows,
        targets_of=tags_of,
        labels=[0, 1],
        validation_share=0.25,
        random_state=0,
    )
    assert (len(data.train), len(data.valid)) == (15, 5)
    for part in (data.train, data.valid):
        assert [len(each) for each in part.targets] == [len(text) for text in part.inputs]
    assert sorted([*data.train.inputs, *data.valid.inputs]) == sorted(tagged.inputs)
