"""Synthetic words: as long, as loud and as different as they should be."""

import numpy as np

from penstock.audio.synthetic_words import SYNTHETIC_WORDS, synthetic_word, synthetic_words


def test_words_are_short_sounds_without_clipping():
    recordings, labels = synthetic_words(2, np.random.default_rng(0))
    assert labels == [word for word in SYNTHETIC_WORDS for _ in range(2)]
    for recording in recordings:
        assert recording.samples.dtype == np.float32
        assert 0.2 < recording.seconds < 1.5
        assert 0.05 < np.abs(recording.samples).max() < 0.6


def test_the_generator_draws_the_speaker():
    one, same, other = (synthetic_word("yes", np.random.default_rng(seed)).samples for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert len(one) != len(other)


def test_a_hiss_is_high_and_a_vowel_low():
    samples = synthetic_word("yes", np.random.default_rng(3)).samples
    middle, end = len(samples) // 2, len(samples)

    def center(part):
        power = np.abs(np.fft.rfft(part)) ** 2
        return (power * np.fft.rfftfreq(len(part), 1 / 8000)).sum() / power.sum()

    assert center(samples[: middle // 2]) < 1500 < 2500 < center(samples[end - end // 6 :])
