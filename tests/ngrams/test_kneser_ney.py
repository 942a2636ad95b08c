"""N-grams in sorted arrays beside the same smoothing written out with dictionaries."""

import gzip
import math
from collections import Counter, defaultdict

import numpy as np
import pytest

from penstock.errors import BundleError, DataError
from penstock.ngrams import NGrams
from penstock.ngrams.kneser_ney import discounts, fit_kneser_ney
from penstock.sequences import Sequences


class Dictionaries:
    """Chen and Goodman's equations (1999, section 3), one n-gram at a time."""

    def __init__(self, texts, vocabulary, order, begin):
        self.vocabulary, self.order, self.begin = vocabulary, order, begin
        occurrences = [Counter() for _ in range(order + 1)]
        for text in texts:
            for place in range(len(text)):
                history = self.history(text[:place])
                for length in range(min(order - 1, len(history)) + 1):
                    occurrences[length + 1][(*history[len(history) - length :], text[place])] += 1
        self.counts = [Counter() for _ in range(order + 1)]
        self.counts[order] = occurrences[order]
        for length in range(1, order):
            for gram in occurrences[length + 1]:
                self.counts[length][gram[1:]] += 1
            for gram, count in occurrences[length].items():
                if length > 1 and gram[0] == self.start:
                    self.counts[length][gram] = count
        self.children = [defaultdict(dict) for _ in range(order + 1)]
        for length in range(1, order + 1):
            for gram, count in self.counts[length].items():
                self.children[length][gram[:-1]][gram[-1]] = count

    @property
    def start(self):
        return self.vocabulary if self.begin is None else self.begin

    def history(self, before):
        tokens = [self.start, *before]
        return tuple(tokens[len(tokens) - 1 - tokens[::-1].index(self.start) :])

    def taken(self, length):
        of = Counter(self.counts[length].values())
        n = [of[number] for number in range(5)]
        if not all(n[1:]):
            return [0, 0.5, 1.0, 1.5]
        y = n[1] / (n[1] + 2 * n[2])
        found = [0, *(k - (k + 1) * y * n[k + 1] / n[k] for k in (1, 2, 3))]
        return found if all(0 < found[k] <= k for k in (1, 2, 3)) else [0, 0.5, 1.0, 1.5]

    def probability(self, token, history, length=None):
        length = min(self.order, len(history) + 1) if length is None else length
        if length == 0:
            return 1 / self.vocabulary
        context = history[len(history) - length + 1 :]
        lower = self.probability(token, history, length - 1)
        children = self.children[length].get(context)
        if not children:
            return lower
        taken, total = self.taken(length), sum(children.values())
        count = children.get(token, 0)
        weight = sum(taken[min(each, 3)] for each in children.values()) / total
        return (count - taken[min(count, 3)]) / total + weight * lower


def draw(texts, vocabulary, seed):
    """Texts of a chain in which some tokens like to follow others."""
    random = np.random.default_rng(seed)
    likely = random.dirichlet(np.full(vocabulary, 0.3), vocabulary)
    found = []
    for length in random.integers(1, 60, texts):
        text = [int(random.integers(vocabulary))]
        for _ in range(length):
            text.append(int(random.choice(vocabulary, p=likely[text[-1]])))
        found.append(text)
    return found


@pytest.mark.parametrize("begin", [None, 2])
@pytest.mark.parametrize("order", [1, 2, 3, 5])
@pytest.mark.parametrize("vocabulary", [5, 23])
def test_equals_dictionaries(order, begin, vocabulary):
    train, held = draw(30, vocabulary - 1, 0), draw(6, vocabulary, 1)  # the last id never occurs in training
    model = NGrams(fit_kneser_ney(Sequences.from_list(train), vocabulary, order=order, begin=begin))
    slow = Dictionaries(train, vocabulary, order, begin)
    expected = [
        math.log(slow.probability(text[place], slow.history(text[:place])))
        for text in held
        for place in range(len(text))
    ]
    # Stored as float32, at most a few added up.
    np.testing.assert_allclose(model.log_probs(Sequences.from_list(held)), expected, rtol=0, atol=2e-6)
    assert model.order == order
    assert model.vocabulary_size == vocabulary


@pytest.mark.parametrize("begin", [None, 2])
@pytest.mark.parametrize("most", [10**6, 20])
@pytest.mark.parametrize("order", [1, 2, 4])
def test_the_probabilities_of_all_next_tokens_add_up_to_1(begin, most, order):
    train, (held, *_) = Sequences.from_list(draw(30, 9, 0)), draw(3, 9, 2)
    model = NGrams(fit_kneser_ney(train, 9, order=order, begin=begin, most=most))
    each = model.log_probs(Sequences.from_list([held]))
    for place in range(len(held)):
        found = model.next_log_probs(held[:place])
        assert np.exp(found).sum() == pytest.approx(1, abs=1e-6)
        assert found[held[place]] == each[place]


def test_a_limit_keeps_the_ngrams_that_occur_most():
    train = Sequences.from_list(draw(60, 9, 0))
    whole, cut = (fit_kneser_ney(train, 9, order=4, most=most) for most in (10**6, 150))
    kept = sum(len(cut[f"tokens_{order}"]) for order in (3, 4))
    assert 0 < kept <= 150 < sum(len(whole[f"tokens_{order}"]) for order in (3, 4))
    np.testing.assert_array_equal(cut["tokens_2"], whole["tokens_2"])


def test_texts_without_tokens_leave_equal_probabilities():
    model = NGrams(fit_kneser_ney(Sequences.from_list([[]], np.int32), 4, order=3))
    np.testing.assert_allclose(model.log_probs(Sequences.from_list([[0, 3], []])), -math.log(4), rtol=1e-6)


def test_discounts_of_few_counts_are_fixed():
    np.testing.assert_array_equal(discounts(np.array([1, 1, 2, 7])), [0, 0.5, 1, 1.5])
    usual = discounts(np.repeat([1, 2, 3, 4, 9], [40, 20, 10, 6, 3]))
    np.testing.assert_allclose(usual, [0, 0.5, 2 - 1.5 * 0.5, 3 - 2 * 0.6])


def test_an_unknown_id_is_refused():
    model = NGrams(fit_kneser_ney(Sequences.from_list([[0, 1, 2]]), 3, order=2))
    with pytest.raises(DataError, match="from 0 to 2; got 1 to 3"):
        model.log_probs(Sequences.from_list([[1, 3]]))


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("tokens_2", lambda array: array[:-1]),
        ("tokens_2", lambda array: array + 9),
        ("tokens_2", lambda array: array[::-1]),
        ("offsets_3", lambda array: array[:-1]),
        ("offsets_3", lambda array: -array),
        ("log_probs_1", lambda array: array[1:]),
        ("backoffs_2", None),
    ],
)
def test_damaged_arrays_are_refused(name, changed):
    arrays = fit_kneser_ney(Sequences.from_list(draw(5, 6, 0)), 6, order=3)
    if changed is None:
        del arrays[name]
    else:
        arrays[name] = changed(arrays[name])
    with pytest.raises(BundleError, match="n-grams are damaged"):
        NGrams(arrays)


@pytest.mark.slow
@pytest.mark.parametrize(("order", "published"), [(3, 148.3), (5, 141.2)])
def test_penn_treebank_has_its_published_perplexity(data_dir, order, published):
    folder = data_dir / "ptb"
    train = gzip.decompress((folder / "ptb.train.txt.gz").read_bytes()).decode()
    ids: dict[str, int] = {}

    def read(text):
        words = [word for line in text.splitlines() for word in [*line.split(), "<eos>"]]
        return Sequences.from_list([[ids.setdefault(word, len(ids)) for word in words]])

    known, test = read(train), read((folder / "ptb.test.txt").read_text())
    model = NGrams(fit_kneser_ney(known, 10_000, order=order, begin=ids["<eos>"]))
    perplexity = math.exp(-model.log_probs(test).mean())
    assert round(perplexity, 1) == published  # Mikolov (2012), Table 4.1, by SRILM
