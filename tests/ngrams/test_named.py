"""N-grams by name, and ARPA files read and written."""

import gzip
import math
import pickle

import numpy as np
import pytest

from penstock.errors import DataError
from penstock.ngrams import NamedNGrams, read_arpa, write_arpa

TEXTS = ["turn it on", "turn it off", "turn on", "off it is", "it is on"] * 3
ARPA = """made by hand

\\data\\
ngram 1=5
ngram 2=3

\\1-grams:
-99 <s> -0.5
-1.0 </s>
-0.6 yes -0.3
-0.7 no -0.2
-2.0 <unk>

\\2-grams:
-0.2 <s> yes
-0.4 yes </s>
-0.9 no yes

\\end\\
"""


def tens(value):
    return pytest.approx(value * math.log(10), rel=1e-6)


@pytest.fixture
def arpa(tmp_path):
    path = tmp_path / "lm.arpa"
    path.write_text(ARPA)
    return path


def test_a_file_gives_what_the_format_says(arpa):
    model = read_arpa(arpa)
    assert model.order == 2
    assert not model.characters
    assert model.log_prob(("<s>",), "yes") == tens(-0.2)
    assert model.log_prob(("yes",), "no") == tens(-0.3 - 0.7)  # backs off
    assert model.log_prob(("no",), "</s>") == tens(-0.2 - 1.0)
    assert model.log_prob(("maybe",), "perhaps") == tens(-2.0)
    assert model.log_prob((), "yes") == tens(-0.6)
    assert (model.known("yes"), model.known("maybe")) == (True, False)


@pytest.mark.parametrize("characters", [False, True])
@pytest.mark.parametrize("order", [1, 2, 4])
def test_what_is_written_is_read_back(tmp_path, order, characters):
    made = NamedNGrams.fit(TEXTS, order=order, characters=characters)
    write_arpa(made, tmp_path / "lm.arpa")
    packed = tmp_path / "lm.arpa.gz"
    packed.write_bytes(gzip.compress((tmp_path / "lm.arpa").read_bytes()))
    for read in (read_arpa(tmp_path / "lm.arpa"), read_arpa(packed), pickle.loads(pickle.dumps(made))):  # noqa: S301
        assert (read.names, read.characters) == (made.names, characters)
        for name, array in made.arrays.items():
            if name == "log_probs_1":  # the begin is never predicted
                array, theirs = array[:-1], read.arrays[name][:-1]
            else:
                theirs = read.arrays[name]
            np.testing.assert_allclose(theirs, array, rtol=1e-6, atol=1e-6)


def test_one_probability_is_that_of_all_next_tokens():
    made = NamedNGrams.fit(TEXTS, order=3)
    for context in (["<s>"], ["<s>", "turn"], ["turn", "it"], ["it", "turn", "turn"], ["never", "on"]):
        ids = [0 if name == "never" else [*made.names, "<s>"].index(name) for name in context]
        after = ids[1:] if ids[0] == made.model.begin else ids
        # Without its begin, `next_log_probs` puts one before the context, which is cut off here.
        expected = made.model.next_log_probs(after if len(context) < 3 and ids[0] == made.model.begin else [0, 0, *ids])
        found = [made.log_prob(context, name) for name in made.names]
        np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("\\end\\\n", "", r"is cut short: it has no line \\end\\"),
        ("-0.9 no yes\n\n\\end\\\n", "", r"is cut short"),
        ("-0.9 no yes\n", "", r"line 18: the file says that there are 3 n-grams of order 2, and has 2"),
        ("\\data\\", "data", "is cut short"),
        ("ngram 2=3", "ngram 3=3", "line 5: expected the number of n-grams of order 2"),
        ("ngram 2=3\n", "", r"expected the n-grams of order 2 or \\end\\; got '\\\\2-grams:'"),
        ("-0.9 no yes", "-0.9 no", "line 17: expected a log-probability, 2 words and perhaps a weight; got '-0.9 no'"),
        ("-0.9 no yes", "x no yes", "must be numbers; got 'x no yes'"),
        ("-0.9 no yes", "0.9 no yes", "at most 0"),
        ("-0.9 no yes", "nan no yes", "at most 0"),
        ("-0.9 no yes", "-0.9 nay yes", "order 2 with 'nay', which is not among its words"),
        ("-0.9 no yes", "-0.9 yes </s>", "an n-gram of order 2 twice"),
        ("-1.0 </s>", "-1.0 end", "no </s> among its words"),
    ],
)
def test_damaged_files_are_refused(arpa, old, new, message):
    arpa.write_text(ARPA.replace(old, new, 1))
    with pytest.raises(DataError, match=message):
        read_arpa(arpa)


def test_files_that_are_none_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"nowhere.arpa: can't be read: No such file"):
        read_arpa(tmp_path / "nowhere.arpa")
    cut = tmp_path / "cut.arpa.gz"
    cut.write_bytes(gzip.compress(ARPA.encode())[:60])
    with pytest.raises(DataError, match=r"cut.arpa.gz: can't be read: Compressed file ended"):
        read_arpa(cut)
    trigram = tmp_path / "orphan.arpa"
    body = ARPA.replace("ngram 2=3", "ngram 2=3\nngram 3=1").replace("\\end\\", "\\3-grams:\n-1 no no yes\n\\end\\")
    trigram.write_text(body)
    with pytest.raises(DataError, match="order 3 whose first 2 words are not listed"):
        read_arpa(trigram)


def test_texts_without_words_and_odd_orders_are_refused():
    with pytest.raises(DataError, match="at least one word"):
        NamedNGrams.fit(["", "  "])
    with pytest.raises(DataError, match="order of n-grams must be"):
        NamedNGrams.fit(["a"], order=0)
