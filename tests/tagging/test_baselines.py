"""Baselines of taggers: trained, saved as arrays, read back, and held to CRFsuite's own predictions."""

import random
import subprocess
import sys
from itertools import chain

import numpy as np
import pycrfsuite
import pytest

from penstock.errors import BundleError
from penstock.sequences import Sequences
from penstock.tagging.baseline_training import fit_baselines
from penstock.tagging.baselines import TagBaselines, handmade_features, packed, unpacked

NAMES = ["Ada", "Kurt", "Emmy", "Sofja"]
VERBS = ["sings", "runs", "thinks", "reads-on"]


@pytest.fixture(scope="module")
def sentences() -> list[list[str]]:
    pick = random.Random(0)
    return [[pick.choice(NAMES), pick.choice(VERBS), "in", str(pick.randrange(1900, 2000)), "."] for _ in range(40)]


@pytest.fixture(scope="module")
def targets(sentences: list[list[str]]) -> Sequences:
    places = [0, 1, 2, 3, 2]
    return Sequences(np.array(places * len(sentences)), np.arange(len(sentences) + 1) * len(places))


@pytest.fixture(scope="module")
def arrays(sentences: list[list[str]], targets: Sequences) -> dict[str, np.ndarray]:
    return fit_baselines(sentences, targets, 4, seed=0)[0]


def test_the_crf_reads_shapes_and_neighbours(arrays: dict[str, np.ndarray]) -> None:
    found = TagBaselines(arrays, 4)
    new = [["Lise", "counts", "in", "2031", "."], ["in"]]
    assert found.names == ("crf", "most_frequent_tag")
    assert found.answers("crf", new).tolist() == [0, 1, 2, 3, 2, 2]
    assert found.answers("crf", []).shape == (0,)
    assert found.unknown(new).tolist() == [True, True, False, True, False, False]


def test_an_unknown_word_gets_the_tag_of_words_that_occur_once() -> None:
    arrays, settings = fit_baselines(
        [["a", "a", "a", "b", "c"]], Sequences(np.array([0, 0, 1, 1, 1]), np.array([0, 5])), 2, seed=0, crf=False
    )
    found = TagBaselines(arrays, 2)
    assert found.names == ("most_frequent_tag",)
    assert found.answers("most_frequent_tag", [["a", "b"], ["new"]]).tolist() == [0, 1, 1]
    assert settings == {}


@pytest.mark.parametrize("most_sums", [1e12, 0])
def test_our_decoding_gives_crfsuites_tags(most_sums: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both of its algorithms, on data without a pattern, where paths compete."""
    monkeypatch.setattr("penstock.tagging.baseline_training._SUMS", most_sums)
    opened: list[str] = []
    pick = np.random.default_rng(0)
    sentences = [[str(word) for word in pick.integers(0, 9, n)] for n in pick.integers(1, 9, 60)]
    offsets = np.cumsum([0, *map(len, sentences)])
    targets = Sequences(pick.integers(0, 3, offsets[-1]), offsets)

    class Remembered(pycrfsuite.Tagger):
        def open(self, name: str):
            opened.append(name)
            tagger = super().open(name)
            numbers: dict[str, str] = {}
            self.said = []
            for sentence in sentences:
                features = handmade_features(sentence)
                names = [[numbers.setdefault(one, str(len(numbers))) for one in each] for each in features]
                self.said += [int(tag) for tag in self.tag(names)]
            theirs.extend(self.said)
            return tagger

    theirs: list[int] = []
    monkeypatch.setattr(pycrfsuite, "Tagger", Remembered)
    arrays, settings = fit_baselines(sentences, targets, 3, seed=0)
    assert settings["crf"]["algorithm"] == ("L-BFGS" if most_sums else "averaged perceptron")
    ours = TagBaselines(arrays, 3).answers("crf", sentences)
    np.testing.assert_array_equal(ours, theirs)
    assert len(set(theirs)) == 3


def test_no_more_tokens_are_used_than_it_says(
    sentences: list[list[str]], targets: Sequences, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("penstock.tagging.baseline_training._MOST_TOKENS", 52)
    settings = fit_baselines(sentences, targets, 4, seed=0)[1]
    assert settings["crf"]["sentences"] == 10


def test_features_of_a_character_are_its_neighbours_and_pairs() -> None:
    first = handmade_features(["北", "京"])[0]
    assert "+1 京" in first
    assert "+0+1 北 京" in first
    assert not any(name.startswith(("starts", "ends")) for name in first)
    assert {"starts ber", "ends lin", "shape Xxxxxx", "runs Xx"} <= set(handmade_features(["Berlin"])[0])


def test_words_survive_as_bytes() -> None:
    words = ["a\nb", "北京", "", "x y"]
    assert unpacked(packed(words)) == ["a b", "北京", "", "x y"]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("words", None, "the baseline lacks words"),
        ("labels", None, "the baseline lacks labels"),
        ("labels", lambda old: old + 99, "labels of the baseline does not fit"),
        ("places", lambda old: old[::-1].copy(), "places of the baseline does not fit"),
        ("places", lambda old: old[:-1], "places of the baseline does not fit"),
        ("transitions", lambda old: old[:2], "transitions of the baseline does not fit"),
        ("word_tags", lambda old: old - 9, "word_tags of the baseline does not fit"),
        ("attributes", lambda old: np.full(3, 255, np.uint8), "words of the baseline are damaged"),
    ],
)
def test_damaged_arrays_are_refused(arrays: dict[str, np.ndarray], name: str, value, message: str) -> None:
    damaged = {key: array for key, array in arrays.items() if key != name}
    if value is not None:
        damaged[name] = value(arrays[name])
    with pytest.raises(BundleError, match=message):
        TagBaselines(damaged, 4)


def test_prediction_needs_neither_pytorch_nor_crfsuite() -> None:
    code = "import sys, penstock.tagging.baselines; print({'torch', 'pycrfsuite', 'sklearn'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_the_most_frequent_tag_of_each_word_is_counted(sentences: list[list[str]], targets: Sequences) -> None:
    arrays = fit_baselines(sentences, targets, 4, seed=0, crf=False)[0]
    words = unpacked(arrays["words"])
    assert sorted(words) == sorted(set(chain.from_iterable(sentences)))
    assert arrays["word_tags"][words.index("in")] == 2
