"""What language models and hot words add to a text, whole and token by token."""

from functools import partial

import numpy as np
import pytest
from language_models import save_all

from penstock.errors import ConfigError
from penstock.ngrams import NamedNGrams
from penstock.runtime import load
from penstock.speech.beam import PrefixBeam
from penstock.speech.fusion import CharacterFusion, HotWords, WordFusion, together
from penstock.speech.network_fusion import NetworkFusion

PIECES = ["", *"abcdegino t", "it", " on"]
TEXTS = ["ab it on", "it ab", "no it", "a cab"] * 4


def total(fusion, text, pieces=PIECES):
    """What all tokens of a text and its end add."""
    state, found = fusion.begin(), 0.0
    for piece in text:
        token = pieces.index(piece)
        found += fusion.added(state, token)
        (state,) = fusion.after([state], [token])
    return found + fusion.ended(state)


@pytest.mark.parametrize("text", ["ab it", "ab  it ", "zz", ["ab", " ", "it", " on"], ["a", "b", " on"], ""])
def test_words_add_their_probabilities_and_bonuses(text):
    pieces = [*PIECES, "z", "ab"]
    ngrams = NamedNGrams.fit(TEXTS, order=3)
    fusion = WordFusion(ngrams, pieces, weight=0.7, bonus=0.4, unknown=-3.0)
    words = "".join(text).split()
    context, expected = ["<s>"], 0.0
    for word in words:
        expected += 0.7 * ngrams.log_prob(context, word) + 0.4 + (0 if ngrams.known(word) else -3.0)
        context.append(word)
    expected += 0.7 * ngrams.log_prob(context, "</s>")
    assert total(fusion, text, pieces) == pytest.approx(expected)


def test_a_word_that_no_longer_can_be_one_is_judged_at_once():
    ngrams = NamedNGrams.fit(TEXTS, order=2)
    fusion = WordFusion(ngrams, PIECES, weight=1.0, bonus=0.0, unknown=-5.0)
    (state,) = fusion.after([fusion.begin()], [PIECES.index("c")])
    assert fusion.added(state, PIECES.index("a")) == 0.0  # "ca" can become "cab", as "c" could
    assert fusion.added(state, PIECES.index("c")) < -5


@pytest.mark.parametrize("text", ["ab it", "  a  b ", ["it", " on"]])
def test_characters_add_their_probabilities(text):
    ngrams = NamedNGrams.fit(TEXTS, order=4, characters=True)
    fusion = CharacterFusion(ngrams, PIECES, weight=0.5, bonus=0.1)
    context, expected, spelled = ["<s>"], 0.0, "".join(text).lstrip()
    for name in NamedNGrams.tokens(spelled + "x" * spelled.endswith(" "), characters=True)[
        : len(" ".join(spelled.split())) + spelled.endswith(" ")
    ]:
        expected += 0.5 * ngrams.log_prob(context, name) + 0.1
        context.append(name)
    expected += 0.5 * ngrams.log_prob(context, "</s>")
    assert total(fusion, text) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("ab", 1),
        ("ab it", 1),
        ("cab", 0),
        ("abc", 0),
        ("it on", 1),
        ("it ab", 1),
        ("it", 0),
        ("it on ab", 2),
        ("ab ab", 2),
    ],
)
def test_hot_words_have_a_bonus_where_they_are_whole(text, times):
    fusion = HotWords(["ab", "it on"], PIECES, bonus=2.0)
    assert total(fusion, text) == pytest.approx(2.0 * times)


def test_several_models_are_added_up():
    ngrams = NamedNGrams.fit(TEXTS, order=2)
    several = [WordFusion(ngrams, PIECES, weight=0.7, bonus=0.4, unknown=-3.0), HotWords(["ab"], PIECES, bonus=2.0)]
    both = together(several)
    assert total(both, "it ab") == pytest.approx(sum(total(each, "it ab") for each in several))
    assert together([]) is None
    assert together(several[:1]) is several[0]


def test_a_language_model_turns_the_balance():
    pieces = ["", "a", "b", " "]
    rows = np.log(np.array([[0.02, 0.5, 0.46, 0.02], [0.94, 0.02, 0.02, 0.02]], np.float32))
    ngrams = NamedNGrams.fit(["b", "b"], order=2)

    def best(fusion):
        decoder = PrefixBeam(4, 8, fusion=fusion)
        for step, row in enumerate(rows):
            decoder.push(row, step)
        return decoder.finished().tokens.tolist()

    assert best(None) == [1]
    assert best(WordFusion(ngrams, pieces, weight=1.0, bonus=0.0, unknown=-5.0)) == [2]
    assert best(HotWords(["b"], pieces, bonus=1.0)) == [2]


@pytest.mark.parametrize("characters", [False, True])
def test_ngrams_in_another_case_are_refused(characters):
    ngrams = NamedNGrams.fit(["AB IT"], order=2, characters=characters)
    make = CharacterFusion if characters else partial(WordFusion, unknown=0.0)
    with pytest.raises(ConfigError, match="upper and lower case"):
        make(ngrams, PIECES, weight=1.0, bonus=0.0)


@pytest.mark.parametrize("words", ["ab", [], [""], [1], ["ab"] * 1001, ["AB"]])
def test_odd_hot_words_are_refused(words):
    with pytest.raises(ConfigError, match="hot words must be"):
        HotWords(words, PIECES, bonus=1.0)


@pytest.fixture(scope="module")
def letters(tmp_path_factory):
    """A language model of characters with random weights."""
    folder = tmp_path_factory.mktemp("models")
    save_all(folder)
    return folder / "letters"


@pytest.mark.parametrize("text", ["no it", "", ["it", " on", " on"], "Q"])
def test_a_network_adds_its_log_probabilities(letters, text):
    model = load(letters)
    fusion = NetworkFusion(model, [*PIECES, "Q"], weight=0.5, bonus=0.1)
    spelled = "".join(text)
    (each,) = model.predict([spelled])
    assert total(fusion, text, [*PIECES, "Q"]) == pytest.approx(0.5 * float(each.sum()) + 0.1 * len(spelled), abs=1e-5)


def test_prefixes_that_advance_together_have_the_bits_of_each_alone(letters):
    fusion = NetworkFusion(load(letters), PIECES, weight=1.0, bonus=0.0)
    tokens = [PIECES.index(piece) for piece in ("o", "n", "it")]
    alone = [fusion.after([fusion.begin()], [token])[0] for token in tokens]
    for one, both in zip(alone, fusion.after([fusion.begin()] * 3, tokens), strict=True):
        np.testing.assert_array_equal(one.next, both.next)


def test_other_language_models_are_refused(letters):
    for name in ("words", "tags"):
        with pytest.raises(ConfigError, match=r"a language model of characters is needed"):
            NetworkFusion(load(letters.parent / name), PIECES, weight=1.0, bonus=0.0)
    with pytest.raises(ConfigError, match="upper and lower case"):
        NetworkFusion(load(letters), ["", "A", "B"], weight=1.0, bonus=0.0)
