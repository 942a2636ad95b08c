"""Reads pretrained word vectors from text files of word2vec and GloVe.

A line holds a word and its numbers, separated by blanks; word2vec's first line holds the numbers of words and of
features.
"""

import re
from collections.abc import Callable, Container, Iterator, Mapping
from pathlib import Path

import numpy as np

from penstock.datasets.files import opened
from penstock.errors import ConfigError, DataError

__all__ = ["further_words", "initial_vectors", "read_vectors"]

_LONGEST_LINE = 1 << 20  # bytes
_HEADER = re.compile(r"\d+ \d+")
_ENDS_IN_NUMBER = re.compile(r".* [-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")


def read_vectors(path: str | Path, vocabulary: Mapping[str, int]) -> tuple[np.ndarray, np.ndarray]:
    """Read the vectors of the words in `vocabulary` (word to id) from a text file, plain or .gz.

    Returns:
        ids (found,) int64, ascending, and the matrix (found, features) float32: row k belongs to ids[k]. If a word
        occurs twice in the file, the first line is used. The numbers of other words are not parsed.

    Raises:
        DataError: the file does not exist, is not UTF-8, or has no vectors or an invalid line (named).
    """
    path, features = Path(path), 0
    found: dict[int, np.ndarray] = {}
    for number, line in _lines(path):
        if number == 1 and _HEADER.fullmatch(line):
            continue
        first = not features
        features = features or line.count(" ")
        word, numbers = _split(line, features, f"{path}, line {number}")
        identity = vocabulary.get(word)
        wanted = identity is not None and identity not in found
        if wanted or first:  # parse the first line to check that this is such a file
            vector = _vector(numbers, f"{path}, line {number}")
        if identity is not None and wanted:
            found[identity] = vector
    if not features:
        raise DataError(f"{path}: no vectors in it; expected lines of a word and its numbers")
    ids = np.array(sorted(found), np.int64)
    matrix = np.stack([found[identity] for identity in ids]) if found else np.zeros((0, features), np.float32)
    return ids, matrix


def initial_vectors(
    path: str | Path, vocabulary: Mapping[str, int], size: int, *, spread: float, option: str
) -> tuple[np.ndarray, np.ndarray]:
    """Read the vectors from which the rows of a trained table start, scaled to a standard deviation of `spread`.

    Args:
        path, vocabulary: as for `read_vectors`.
        size: the table's number of columns.
        spread: the standard deviation of its other rows.
        option: the name of the option that sets `size`, for errors.

    Returns:
        As `read_vectors`.

    Raises:
        ConfigError: the vectors are of another size, or no word has one.
        DataError: as `read_vectors`.
    """
    ids, vectors = read_vectors(path, vocabulary)
    if vectors.shape[1] != size:
        raise ConfigError(
            f"{path}: its vectors have size {vectors.shape[1]}, but {option} is {size}. "
            f"Set {option}={vectors.shape[1]}."
        )
    if not len(ids):
        raise ConfigError(_no_vector(path))
    return ids, vectors * np.float32(spread / (float(vectors.std()) or 1.0))


def further_words(
    path: str | Path, vocabulary: Container[str], most: int, *, reads: Callable[[str], bool]
) -> list[str]:
    """Return the first words of a file of vectors that are not in the vocabulary of the training data.

    Args:
        path: as for `read_vectors`.
        vocabulary: the words of the training data.
        most: the most words to return; such files have the most frequent words first.
        reads: whether texts can give this word to look up, and not one in lower case, or several.

    Raises:
        ConfigError: no word of the vocabulary has a vector.
        DataError: as `read_vectors`.
    """
    found: dict[str, None] = {}
    fits, features = False, 0
    for number, line in _lines(Path(path)):
        if number == 1 and _HEADER.fullmatch(line):
            continue
        features = features or line.count(" ")
        word = line.rsplit(" ", features)[0]
        if word in vocabulary:
            fits = True
        elif len(found) < most and reads(word):
            found[word] = None
        if fits and len(found) == most:
            break
    if not fits:
        raise ConfigError(_no_vector(path))
    return list(found)


def _no_vector(path: str | Path) -> str:
    return f"{path}: has no vector for any word of the training texts. Check its language."


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield number and text of each line that is not blank."""
    number = 0
    try:
        with opened(path) as file:
            while line := file.readline(_LONGEST_LINE):
                number += 1
                if len(line) == _LONGEST_LINE:
                    raise DataError(
                        f"{path}, line {number}: has more than {_LONGEST_LINE:,} bytes; is it another file?"
                    )
                if text := line.decode("utf-8").rstrip():
                    yield number, text
    except UnicodeDecodeError as error:
        raise DataError(f"{path}, line {number}: must be UTF-8 text: {error.reason}. Convert the file.") from error


def _split(line: str, features: int, where: str) -> tuple[str, list[str]]:
    # From the right, because some files hold words with blanks.
    word, *numbers = line.rsplit(" ", features)
    if not features or len(numbers) < features or _ENDS_IN_NUMBER.fullmatch(word):
        raise DataError(
            f"{where}: a vector must be a word and {features or 'its'} numbers, with blanks between; "
            f"got {line.count(' ')} numbers in {line[:60]!r}"
        )
    return word, numbers


def _vector(numbers: list[str], where: str) -> np.ndarray:
    try:
        vector = np.array(numbers, np.float64)
    except ValueError as error:
        raise DataError(f"{where}: a vector must be numbers: {error}") from error
    if not np.isfinite(vector).all():
        raise DataError(f"{where}: a vector must be finite numbers; got {' '.join(numbers)[:60]}")
    return vector.astype(np.float32)
