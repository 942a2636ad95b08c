"""Reading word2vec and GloVe text files, and what is wrong in them."""

import gzip

import numpy as np
import pytest

from penstock.datasets.vectors import further_words, read_vectors
from penstock.errors import ConfigError, DataError

GLOVE = "the 0.5 -1 2e-1\n中 1 2 3\nat name@x.org 7 8 9\nthe 9 9 9\nother 4 5 6\n"
VOCABULARY = {"other": 1, "the": 2, "中": 3, "missing": 4, "at name@x.org": 9}


@pytest.mark.parametrize("header", ["", "5 3\n"])
@pytest.mark.parametrize("ending", ["\n", " \r\n"])
@pytest.mark.parametrize("packed", [False, True])
def test_vectors_of_the_vocabulary_are_found(tmp_path, header, ending, packed):
    path = tmp_path / ("vectors.txt.gz" if packed else "vectors.txt")
    data = (header + GLOVE).replace("\n", ending).encode()
    path.write_bytes(gzip.compress(data) if packed else data)
    ids, matrix = read_vectors(path, VOCABULARY)
    assert ids.tolist() == [1, 2, 3, 9]
    assert matrix.dtype == np.float32
    np.testing.assert_array_equal(matrix, np.array([[4, 5, 6], [0.5, -1, 0.2], [1, 2, 3], [7, 8, 9]], np.float32))


def test_a_file_without_known_words_gives_an_empty_matrix(tmp_path):
    (tmp_path / "vectors.txt").write_text(GLOVE, "utf-8")
    ids, matrix = read_vectors(tmp_path / "vectors.txt", {"zebra": 1})
    assert (ids.shape, matrix.shape) == ((0,), (0, 3))


def test_further_words_are_the_first_that_can_be_read(tmp_path):
    path = tmp_path / "vectors.txt"
    path.write_text("5 3\n" + GLOVE, "utf-8")
    assert further_words(path, VOCABULARY, 9, reads=str.isascii) == []
    assert further_words(path, {"other": 1}, 9, reads=str.isascii) == ["the", "at name@x.org"]
    assert further_words(path, {"other": 1}, 1, reads=lambda word: len(word) == 1) == ["中"]
    assert further_words(path, {"other": 1}, 0, reads=str.isascii) == []
    with pytest.raises(ConfigError, match="no vector for any word"):
        further_words(path, {"zebra": 1}, 9, reads=str.isascii)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no vectors in it"),
        (b"5 3\n", "no vectors in it"),
        (b"the\n", "line 1: a vector must be a word and its numbers"),
        (
            b"the 1 2 3\nof 1 2\n",
            "line 2: a vector must be a word and 3 numbers, .* got 2 numbers in 'of 1 2'",
        ),
        (b"the 1 2 3\nof 1 2 3 4\n", "line 2: .* got 4 numbers"),
        (b"3 3\nthe 1 2 3\n\nof 1 two 3\n", "line 4: a vector must be numbers: .*two"),
        (b"of 1 nan 3\n", "line 1: a vector must be finite numbers; got 1 nan 3"),
        (b"review,label\nso so,1\n", "line 1"),
        (b"the 1 2\n\xff\xfe 1 2\n", "line 2: must be UTF-8"),
    ],
)
def test_a_wrong_line_is_named(tmp_path, data, message):
    (tmp_path / "vectors.txt").write_bytes(data)
    with pytest.raises(DataError, match=message):
        read_vectors(tmp_path / "vectors.txt", {"the": 1, "of": 2})


def test_a_broken_or_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"absent.txt: can't be read"):
        read_vectors(tmp_path / "absent.txt", {})
    packed = gzip.compress(b"the 1 2 3\n" * 1000)
    for data in (packed[: len(packed) // 2], b"the 1 2 3\n", packed[:12] + b"\xff" * 30):
        (tmp_path / "vectors.txt.gz").write_bytes(data)
        with pytest.raises(DataError, match=r"vectors.txt.gz: can't be read"):
            read_vectors(tmp_path / "vectors.txt.gz", {})
