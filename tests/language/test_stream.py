"""Streams: the surprisal of a text is the same whole and in pieces; what goes on is the same after a save."""

import numpy as np
import pytest

from penstock.errors import ConfigError, DataError, StateError
from penstock.language.head import NextTokenReadout

PIECES = ["the cat ", "sat\n", "né", " on it?"]


@pytest.mark.parametrize("level", ["char", "byte", "word", "bpe"])
@pytest.mark.parametrize("kind", ["plain", "tied", "adaptive"])
def test_pieces_have_the_bits_of_the_whole(make_model, level, kind):
    tokens = {"max_vocabulary": 270} if level == "bpe" else {}
    model = make_model(level, tied=kind == "tied", cutoffs=[4, 9] if kind == "adaptive" else (), **tokens)
    pieces = [piece.strip() + " " for piece in PIECES] if level == "word" else PIECES
    stream = model.stream()
    pushed = [stream.push(piece) for piece in pieces]
    (whole,) = model.predict(["".join(pieces)])
    ids = model.sequences(["".join(pieces)]).values
    if level != "bpe":  # whose tokens may span what was cut
        np.testing.assert_array_equal(np.concatenate([each.log_probabilities for each in pushed]), whole)
        assert [name for each in pushed for name in each.tokens] == model.features.names(ids)
    found = stream.finish()
    assert found.count == sum(len(each.tokens) for each in pushed)
    assert found.nats == pytest.approx(-sum(float(each.log_probabilities.astype(float).sum()) for each in pushed))
    with pytest.raises(StateError, match="finished"):
        stream.push("the")


def drained(parts):
    """The prediction that a push in parts ends with, and the number of times that it was interrupted."""
    interrupted = 0
    while True:
        try:
            next(parts)
        except StopIteration as end:
            return end.value, interrupted
        interrupted += 1


@pytest.mark.parametrize("level", ["byte", "word"])
def test_a_long_piece_is_read_in_parts_with_the_same_bits(make_model, monkeypatch, level):
    monkeypatch.setattr("penstock.runtime.stream._PART", 3)
    text = "the cat sat on the mät, the dog and the log"
    one, other = make_model(level).stream(), make_model(level).stream()
    for piece in (text, "", "on"):
        whole, (parts, interrupted) = one.push(piece), drained(other.push_in_parts(piece))
        assert (parts.tokens, parts.nats, parts.count) == (whole.tokens, whole.nats, whole.count)
        np.testing.assert_array_equal(parts.log_probabilities, whole.log_probabilities)
        assert interrupted == max(0, len(whole.tokens) - 1) // 3
    assert one.save() == other.save()


def test_frames_have_the_bits_of_the_whole(make_model):
    model = make_model("notes")
    piece = [[60, 64], [], [61], [60, 62, 64]]
    stream = model.stream()
    pushed = [stream.push(frame) for frame in piece]
    np.testing.assert_array_equal(
        np.concatenate([each.log_probabilities for each in pushed]), model.predict([piece])[0]
    )
    assert pushed[0].tokens == ["60 64"]
    frames = stream.generate(5)
    assert len(frames) == 5
    assert all(60 <= note <= 64 for frame in frames for note in frame)
    with pytest.raises(DataError, match="notes must be from 60 to 64, as in training; got 70"):
        stream.push([70])
    with pytest.raises(ConfigError, match="leave top_k and top_p out"):
        stream.generate(1, top_k=2)


def test_what_is_generated_has_the_surprisal_of_what_is_read(make_model):
    model = make_model("char")
    stream, twin = model.stream(seed=3), model.stream()
    text = stream.generate(30)
    twin.push(text)
    assert stream.finish().nats == twin.finish().nats
    assert stream.finish().count == 30


@pytest.mark.parametrize("level", ["char", "byte", "word", "bpe"])
def test_a_saved_or_forked_stream_goes_on_with_the_same_text(make_model, level):
    model = make_model(level, **({"max_vocabulary": 270} if level == "bpe" else {}))
    stream = model.stream(seed=5)
    stream.push("the cat")
    whole = model.stream(seed=5)
    whole.push("the cat")
    expected = whole.generate(40)
    begun = stream.generate(7)
    state, fork = stream.save(), stream.fork()
    rest = stream.generate(33)
    assert fork.generate(33) == rest == model.stream().load(state).generate(33)
    assert begun + rest == expected
    assert expected == model.generate("the cat", 40, seed=5)
    assert expected != model.generate("the cat", 40, seed=6)
    stream.reset()
    stream.push("the cat")
    assert stream.generate(7) == begun


RULES = [
    {},
    {"temperature": 0},
    {"temperature": 0.7},
    {"temperature": 1.3, "top_p": 0.8},
    {"top_k": 1},
    {"top_k": 4, "top_p": 0.7},
    {"top_k": 99},
    {"top_p": 1e-9},
]


@pytest.mark.parametrize("rule", RULES, ids=str)
@pytest.mark.parametrize("ends", [False, True])
def test_the_engine_draws_the_tokens_and_bits_of_the_slow_loop(make_model, rule, ends, monkeypatch):
    model = make_model("char", ends=ends)
    monkeypatch.setattr("penstock.language.stream._AT_ONCE", 7)
    quick, slow = model.stream(seed=1), model.stream(seed=1)
    texts = [quick.generate(n, **rule) for n in (0, 30, 20)]
    with monkeypatch.context() as patch:
        patch.setattr(NextTokenReadout, "linear", None)
        assert [slow.generate(n, **rule) for n in (0, 30, 20)] == texts
    for name, array in slow.arrays().items():
        np.testing.assert_array_equal(quick.arrays()[name], array, err_msg=name)


@pytest.mark.parametrize("level", ["byte", "notes"])
def test_what_is_drawn_comes_one_by_one_with_its_surprisal_and_what_is_next(make_model, level):
    model = make_model(level)
    stream, whole = model.stream(), model.stream()
    begin = [60, 62] if level == "notes" else "né"
    stream.push(begin)
    whole.push(begin)
    drawn = []
    for each in stream.generated(tokens=9, seed=4):
        drawn.append(each)
        assert (each.count, stream.arrays()["count"][0]) == (len(drawn) + whole.finish().count,) * 2
    again = model.stream(seed=4)
    again.push(begin)
    texts = [each.drawn for each in drawn]
    assert (texts if level == "notes" else "".join(texts)) == again.generate(9)
    upcoming = stream.upcoming(1000)
    shares = [share for _, share in upcoming]
    assert len(upcoming) == model.features.size
    assert shares == sorted(shares, reverse=True)
    assert level == "notes" or sum(shares) == pytest.approx(1, abs=1e-5)  # float32
    assert stream.upcoming(2) == upcoming[:2]
    likeliest = next(iter(stream.generated(tokens=1, temperature=0)))
    if level == "byte":
        assert (likeliest.tokens[0], np.exp(likeliest.log_probabilities[0])) == (
            upcoming[0][0],
            pytest.approx(shares[0]),
        )


def test_a_prompt_and_what_follows_are_one_text(make_model):
    model = make_model("word")
    assert model.generate("the", 3).startswith((" ", "\n"))
    assert not model.generate("the\n", 3).startswith(" ")


def test_ends_stop_a_text(make_model):
    model = make_model("char", ends=True)
    texts = [model.generate("the", 200, seed=seed) for seed in range(3)]
    assert min(map(len, texts)) < 200
    endless = model.stream(seed=0)
    endless.push("the")
    endless.generate(200, stop=False)
    assert endless.finish().count == 3 + 200 + 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"top_p": 0}, "top_p must be a number, above 0 and at most 1"),
        ({"top_p": 1.5}, "top_p must be a number, above 0"),
        ({"top_k": -1}, "top_k must be a whole number"),
        ({"temperature": -1}, "temperature must be a number, at least 0"),
        ({"temperature": float("nan")}, "temperature must be a number"),
        ({"n": -1}, "n must be a whole number, at least 0"),
        ({"seed": -1}, "a seed must be"),
    ],
)
def test_wrong_options_are_refused(make_model, options, message):
    with pytest.raises(ConfigError, match=message):
        make_model().generate("the", **({"n": 3} | options))


def test_a_prompt_without_a_known_token_is_refused(make_model):
    with pytest.raises(DataError, match="has no token that the model knows"):
        make_model("word").generate("zebra quagga", 3)
    with pytest.raises(DataError, match="texts must all be str"):
        make_model().generate(7, 3)


def test_a_forged_state_is_refused(make_model):
    model = make_model()
    stream = model.stream()
    stream.arrays()["text"][:] = 300
    with pytest.raises(StateError, match="text must be from -1 to 255"):
        model.stream().load(stream.save())
