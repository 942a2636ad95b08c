"""Words counted in bounded memory."""

from collections import Counter

import numpy as np

from penstock.tokens.counting import WordCounts


def test_counts_are_exact_until_there_are_too_many_words_and_within_the_error_after_that(caplog):
    draw = np.random.default_rng(0)
    words = [f"w{number}" for number in draw.zipf(1.5, 4000)]
    exact, counts = Counter(words), WordCounts(most=100)
    with caplog.at_level("INFO"):
        for start in range(0, 4000, 50):
            counts.add(words[start : start + 50])
    assert len(counts.counts) <= 100
    assert counts.error > 0
    assert caplog.text.count("counted approximately") == 1
    for word, count in exact.items():
        assert count - counts.error <= counts.counts[word] <= count
    assert counts.counts.total() + counts.forgotten.total() == 4000
    assert set(counts.forgotten) == {"a0"}  # the shape of letters with digits
    whole = WordCounts()
    whole.add(words)
    assert (whole.counts, whole.error) == (exact, 0)
