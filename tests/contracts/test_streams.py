"""Every kind of stream keeps the same contract: whole ≡ in pieces, saved ≡ unbroken, looked into ≡ not.

A kind of stream is a `Case`; what holds for one is asked of all.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from penstock.detect.building import table_timelines
from penstock.detect.features import DetectFeatures
from penstock.detect.model import DetectorModel
from penstock.detect.reconstruct.features import ReconstructionFeatures
from penstock.detect.reconstruct.model import ReconstructionModel
from penstock.detect.reconstruct.spec import ReconstructionHead
from penstock.detect.reconstruct.stream import ExampleDetection
from penstock.detect.spec import DistributionHead
from penstock.detect.stream import Detection
from penstock.detect.timelines import Timelines
from penstock.errors import ConfigError, InputError, StateError
from penstock.forecast.features import ForecastFeatures, Scale, measured_scale
from penstock.forecast.model import ForecastModel
from penstock.forecast.spec import ForecastHead, SegmentForecastHead, Segments
from penstock.language.features import FrameFeatures, LanguageFeatures
from penstock.language.model import SequenceGenerator
from penstock.language.spec import BernoulliHead, NextTokenHead
from penstock.language.stream import Surprisal
from penstock.network import ClassHead, Embedding, Network, Numbers, Recurrent
from penstock.ngrams import NamedNGrams
from penstock.panels.frequency import Frequency
from penstock.panels.panel_columns import panel
from penstock.runtime import PooledStream, RandomState, Recurrence, StepLabels, Stream, states
from penstock.signals.features import SignalFeatures
from penstock.signals.model import SignalClassModel
from penstock.sounds.features import AudioFeatures
from penstock.speech.features import SpeechFeatures
from penstock.speech.frames import Frames, GivenFrames
from penstock.speech.model import SpeechModel
from penstock.speech.spec import CtcHead
from penstock.speech.transcriber import Transcript
from penstock.tagging.features import TokenFeatures
from penstock.tagging.model import TaggerModel
from penstock.tagging.schemes import SCHEMES
from penstock.tagging.spec import SpelledWords, TagHead
from penstock.text.model import TextModel
from penstock.tokens import train_tokens

DRAW = np.random.default_rng(0)
HOUR = Frequency("second", 3600, 0)
HORIZON, CONTEXT = 3, 4


@dataclass(frozen=True)
class Case:
    """A kind of stream.

    make: a new one
    items: to be pushed
    whole: what the model itself predicts for some of the items, from the first on; None where there are too few
    bad: an item that is refused
    shows: whether the network's steps can be told apart
    """

    make: Callable[[], Stream]
    items: list[Any]
    whole: Callable[[list[Any]], Any]
    bad: Any
    shows: bool = True


def drawn(network):
    draw = np.random.default_rng(1)
    shapes = network.parameter_shapes().items()
    return {name: draw.normal(size=shape, scale=0.5).astype(np.float32) for name, shape in shapes}


def text(text_parts, **options):
    model = TextModel(*text_parts(**options))
    items = ["the ferry", "", "sailed 早餐", "at dawn , didn't it", "3.5"]

    def whole(pieces):
        return dict(zip(model.labels, model.predict_proba(["\n".join(pieces)])[0].tolist(), strict=True))

    return model, Case(model.stream, items, whole, 5)


def signals(*, window=None, bidirectional=False):
    features = SignalFeatures(stride=2, width=2, window=window).fit([DRAW.normal(3, 2, (20, 2))])
    encoder = Recurrent(cell="gru", input_size=features.size, hidden_size=7, bidirectional=bidirectional)
    network = Network(Numbers(features.size), encoder, ClassHead(3, "mean_max"))
    model = SignalClassModel(network, features, ["a", "b", "c"], drawn(network))
    items = [*DRAW.normal(3, 2, (9, 2)), DRAW.normal(3, 2, (4, 2)), np.array([np.nan, 1.0])]

    def whole(steps):
        signal = np.concatenate([np.atleast_2d(step) for step in steps]) if steps else np.zeros((0, 2))
        last = model.predict_proba([signal])[-1:]
        return dict(zip(model.labels, last[0].tolist(), strict=True)) if len(last) else None

    return Case(model.stream, items, whole, [1.0, 2.0, 3.0], shows=not bidirectional)


def audio(model, spoken):
    samples = spoken[0][0].samples
    items = [samples[start : start + 700] for start in range(0, len(samples), 700)]

    def whole(pieces):
        joined = np.concatenate([np.zeros(0, np.float32), *pieces])
        return dict(zip(model.labels, model.predict_proba([joined])[0].tolist(), strict=True))

    return Case(model.stream, items, whole, np.array([np.nan], np.float32))


def spotter(model, spoken):
    samples = np.concatenate([recording.samples for recording in spoken[0][:3]])
    items = [samples[start : start + 2500] for start in range(0, len(samples), 2500)]

    def whole(pieces):
        alone = model.spotter(threshold=0.36)
        alone.push(np.concatenate([np.zeros(0, np.float32), *pieces]))
        return alone.finish()

    return Case(lambda: model.spotter(threshold=0.36), items, whole, np.array([np.nan], np.float32))


def forecaster(*, carried):
    about = {"horizon": HORIZON, "targets": 1, "quantiles": 3, "known": 3}
    columns = {name: np.exp(DRAW.normal(size=20)) for name in ("y", "promo")}
    table = {**columns, "ds": HOUR.times(np.arange(20)), "id": ["a"] * 20}
    features = ForecastFeatures(
        horizon=HORIZON, context=CONTEXT, quantiles=(0.1, 0.5, 0.9), targets=("y",), past=(), known=("promo",),
        transform="none", normalization="relative", calendar=("hour",), joint=False, season=2, frequency=HOUR,
        time="ds", id="id", names=("a",), scales={}, covariate_scale=np.array([[1.0], [2.0]]), factors=(),
    )  # fmt: skip
    scale = measured_scale(columns["y"][:, None], features)
    features.scales = {name: getattr(scale, name)[None] for name in Scale._fields}
    encoder = Recurrent(cell="lstm", input_size=5, hidden_size=6)
    if carried:
        network = Network(Segments(1, 2 + 3, 5, 1), encoder, ForecastHead(**about, known_size=4))
    else:
        head = SegmentForecastHead(length=2, size=5, context=CONTEXT, highway=3, normalization="relative", **about)
        network = Network(Segments(2, 1 + 3, 5, 1), encoder, head)
    model = ForecastModel(network, features, [], drawn(network))
    items = [
        {"y": y, "promo": promo, "ds": str(time), "id": "a", "ahead": {"promo": columns["promo"][at + 1 :][:HORIZON]}}
        for at, (y, promo, time) in enumerate(zip(columns["y"], columns["promo"], table["ds"], strict=True))
    ][:9]

    def whole(seen):
        if len(seen) < CONTEXT:
            return None
        rows = {name: np.array(values[: len(seen) + HORIZON], object) for name, values in table.items()}
        rows["y"][len(seen) :] = np.nan
        read = panel(rows, targets=["y"], time="ds", id="id", past=[], known=["promo"])
        return model.predict_quantiles(read)[0]

    return Case(model.stream, items, whole, {"y": "x", "promo": 1, "ds": "1970-01-01"})


def surprisal(model, items, bad):
    """A language model: its stream's own sums, and the bits of its tokens in `told`."""

    def whole(seen):
        stream = model.stream()
        told = [float(value) for item in seen for value in stream.push(item).log_probabilities]
        joined = ["".join(seen)] if model.reads == "text" else [list(seen)]
        (found,) = model.predict(joined)
        assert told == found[: len(told)].tolist()
        rest = found[len(told) :]  # the end of a text
        nats = float(np.cumsum([0.0, *(-found.astype(np.float64))])[-1])
        return Surprisal([], np.zeros(0, np.float32), nats, len(told) + len(rest))

    return Case(model.stream, items, whole, bad)


def language(level, *, ends=False):
    recurrent = Recurrent(cell="lstm", input_size=5, hidden_size=6, num_layers=2)
    if level == "notes":
        network = Network(Numbers(5), recurrent, BernoulliHead(5))
        model = SequenceGenerator(network, FrameFeatures(60, 64), [], drawn(network))
        return surprisal(model, [[60], [], [61, 64], [60, 62, 64]], [59])
    features = LanguageFeatures(train_tokens(level, ["the ferry sailed\n"]), ends=ends, lines=True)
    network = Network(Embedding(features.size, 5), recurrent, NextTokenHead(features.size))
    model = SequenceGenerator(network, features, [], drawn(network))
    return surprisal(model, ["the ", "", "ferry sailed\n", "é the\n"], 5)


def recurrence(batch):
    spec = Recurrent(cell="lstm", input_size=3, hidden_size=5, num_layers=2)
    shapes = spec.parameter_shapes()
    network = Recurrence({name: DRAW.normal(size=shape) for name, shape in shapes.items()}, "lstm")
    xs = DRAW.normal(size=(6, batch, 3)).astype(np.float32)

    def whole(steps):
        last = network(np.stack(steps))[0][-1] if steps else np.zeros((batch, 5), np.float32)
        return last[0] if batch == 1 else last

    return Case(lambda: network.stream(batch), list(xs), whole, np.zeros((batch, 4)))


class Sampler(Stream):
    """A stream that draws random numbers, as one that samples from a language model does."""

    def __init__(self, seed):
        super().__init__("sampler", self)
        self.fingerprint = "none"
        self._random = RandomState(seed)
        self._total = np.zeros(1, np.float64)

    def _push(self, item, traces):
        if not isinstance(item, int):
            raise ConfigError(f"a number of draws is needed; got {item!r}")
        for _ in range(item):
            self._total += self._random.uniform()
            if traces is not None:
                traces.append([{"total": self._total[None].astype(np.float32)}])
        return self._whole()

    def _whole(self):
        return float(self._total[0])

    def _memory(self):
        return {"random": self._random.array, "total": self._total}

    def _forget(self):
        self._random.reset()
        self._total[:] = 0

    def _arguments(self):
        return (0,)


def sampler():
    def whole(items):
        numbers = RandomState(7)
        total = 0.0
        for _ in range(sum(items)):
            total += numbers.uniform()
        return total

    return Case(lambda: Sampler(7), [1, 0, 3, 2], whole, "two")


def detector(adapt):
    """A detector of two columns, with a covariate and times; one value is missing, and one far away."""
    scales = {"location": [[3.0, 0.0]], "variance": [[4.0, 1.0]], "season_share": [[0.5, 1.0]]}
    scales |= {"gap": [8.0], "gap_variance": [0.1], "points": [4.0], "span": [14_400.0], "origin": [0.0]}
    scales["until"] = [8000.0]
    peaks = {"level": 1.0, "scores": 100.0, "peaks": 5.0, "excess": 2.0, "squares": 1.0}
    features = DetectFeatures(
        targets=("x", "y"), covariates=("load",), time="at", dated=True, calendar=("hour",), irregular=True,
        probation=4, names=("a",), scales={name: np.array(each) for name, each in scales.items()},
        covariate_scale=np.array([[1.0], [2.0]]),
        peaks={name: np.full((2, 4), value) for name, value in peaks.items()},
    )  # fmt: skip
    network = Network(Numbers(features.size), Recurrent(input_size=features.size, hidden_size=6), DistributionHead(2))
    model = DetectorModel(network, features, [], drawn(network))
    values = DRAW.normal(3, 2, (9, 3))
    values[3, 1], values[6, 0] = np.nan, 400.0
    times = HOUR.times(np.array([0, 1, 2, 3, 4, 9, 10, 11, 11]))
    items = [{"x": x, "y": y, "load": z, "at": str(at)} for (x, y, z), at in zip(values, times, strict=True)]

    def whole(seen):
        if not seen:
            return None
        columns = {name: [item[name] for item in seen] for name in ("x", "y", "load", "at")}
        data = table_timelines(columns, targets=("x", "y"), covariates=("load",), time="at")
        (found,) = model.predict(Timelines([replace(data.series[0], name="a")], ("x", "y"), ("load",)), adapt=adapt)
        numbers = (found.score, found.threshold, found.anomaly, *found.expected.T, *found.low.T, *found.high.T)
        return np.array([each[-1] for each in numbers], np.float64)

    return Case(lambda: model.stream(adapt=adapt), items, whole, {"x": "y", "y": 1, "load": 2, "at": "1970-01-02"})


def reproducing():
    """Examples of four rows of two columns; one value is missing, and one far away."""
    peaks = {"level": 1.0, "scores": 100.0, "peaks": 5.0, "excess": 2.0, "squares": 1.0}
    features = ReconstructionFeatures(
        targets=("x", "y"), time="at", dated=True, window=4, names=("a",),
        location=np.array([[0.0, 0.0], [3.0, 1.0]]), spread=np.array([[1.0, 1.0], [2.0, 3.0]]),
        peaks={name: np.full(2, value) for name, value in peaks.items()},
    )  # fmt: skip
    head = ReconstructionHead(2, Recurrent(input_size=6, hidden_size=5))
    network = Network(Numbers(features.size), Recurrent(input_size=features.size, hidden_size=6), head)
    model = ReconstructionModel(network, features, [], drawn(network))
    values = DRAW.normal(3, 2, (9, 2))
    values[3, 1], values[5, 0] = np.nan, 400.0
    times = HOUR.times(np.arange(9))
    items = [{"x": x, "y": y, "at": str(at)} for (x, y), at in zip(values, times, strict=True)]

    def whole(seen):
        if not seen:
            return None
        stream, columns = model.stream(), {name: [item[name] for item in seen] for name in ("x", "y", "at")}
        told = [found for item in seen if (found := stream.push(item))]
        data = table_timelines(columns, targets=("x", "y"), time="at")
        (found,) = model.predict(Timelines([replace(data.series[0], name="a")], ("x", "y")))
        rows = zip(found.score, found.threshold, found.anomaly, found.expected, found.low, found.high, strict=True)
        expected = [Detection(*row, "", ()) for row in rows]
        score, anomaly, ends = found.examples.score, found.examples.anomaly, found.examples.cuts
        every = [
            ExampleDetection(score[k], 4.0, anomaly[k], tuple(expected[ends[k] : ends[k + 1]]))
            for k in range(len(score))
        ]
        assert list(map(bits, told)) == list(map(bits, every[: len(told)]))
        return every[-1] if len(seen) % 4 else None

    return Case(model.stream, items, whole, {"x": "y", "y": 1, "at": "1970-01-02"})


def labelled_steps(model, items, bad):
    def whole(seen):
        """What is left to be settled at the end: all labels of the whole but those that the items settled."""
        stream = model.stream()
        settled = [label for item in seen for label in stream.push(item).labels]
        joined = "\n".join(seen) if model.reads == "text" else np.array(seen).reshape(-1, 2)
        labels = model.predict([joined])[0]
        assert settled == labels[: len(settled)]
        rest = labels[len(settled) :]
        return StepLabels(rest, np.zeros((len(rest), 3), np.float32) if model.decoder.immediate else None)

    return Case(model.stream, items, whole, bad)


def tags(lookahead, *, crf=True, scheme="IOB1"):
    """A tagger: the spelling of a tag depends on the one before it, which may have been told with an earlier piece."""
    sentences = [["Ada", "saw", "Rome", "3"], ["the", "ferry"]]
    features = TokenFeatures(scheme=SCHEMES[scheme]).fit(sentences)
    inputs = SpelledWords(features.vocabulary_size, 4, features.alphabet_size, 3, 2)
    labels = ["O", *(f"{place}-X" for place in "BIES")]
    network = Network(inputs, Recurrent(input_size=inputs.size, hidden_size=9), TagHead(5, crf, lookahead))
    model = TaggerModel(network, features, labels, {name: 3 * each for name, each in drawn(network).items()})
    items = ["Ada", ["saw", "the sea"], "Rome 3", "", "x" * 50, "ferry Ada Ada"]

    def whole(seen):
        stream = model.stream()
        told = [label for item in seen for label in stream.push(item).labels]
        tokens = [token for item in seen for token in (item.split() if isinstance(item, str) else item)]
        (expected,) = model.predict([tokens])
        assert told == expected[: len(told)]
        rest = expected[len(told) :]
        assert len(rest) == (min(lookahead, len(tokens)) if crf else 0)
        return StepLabels(rest, None if crf else np.zeros((len(rest), 5), np.float32))

    return Case(model.stream, items, whole, 5)


def speech_model(frames, lookahead=0):
    features = SpeechFeatures(frames, train_tokens("char", ["the ferry"]), stack=3, subsampling=2)
    encoder = Recurrent(cell="lstm", input_size=features.size, hidden_size=7, num_layers=2)
    network = Network(Numbers(features.size), encoder, CtcHead(features.outputs, lookahead))
    return SpeechModel(network, features, [], drawn(network))


def speech(frames, items, bad, *, lookahead=0):
    """Scores of tokens; the end makes those ready that waited for later steps."""
    model = speech_model(frames, lookahead)

    def whole(seen):
        stream = model.score_stream()
        outputs = model.features.outputs
        told = np.concatenate([np.zeros((0, outputs), np.float32), *map(stream.push, seen)])
        joined = np.concatenate([np.zeros((0, *items[0].shape[1:]), np.float32), *seen])
        (expected,) = model.log_probabilities([joined])
        assert told.tobytes() == expected[: len(told)].tobytes()
        return expected[len(told) :]

    return Case(model.score_stream, items, whole, bad)


def words(frames, items, bad, **search):
    """Words; the end makes those of the last utterance final."""
    model = speech_model(frames, 2)

    def whole(seen):
        stream = model.stream(**search)
        told = [word for item in seen for word in stream.push(item).words]
        joined = np.concatenate([np.zeros((0, *items[0].shape[1:]), np.float32), *seen])
        (expected,), (rows,) = model.transcribe([joined], **search), model.log_probabilities([joined])
        assert told == expected[: len(told)]
        timing = model.features.first_seconds + (len(rows) - 1) * model.seconds_per_step
        return Transcript(expected[len(told) :], [], 0, timing if len(rows) else 0.0, True)

    return Case(partial(model.stream, **search), items, whole, bad)


def speech_of_samples(spoken):
    frames = AudioFeatures(mel_bins=6, window_seconds=0.025, hop_seconds=0.01, mean_seconds=1.0, delta_frames=())
    samples = spoken[0][0].samples
    items = [samples[start : start + 700] for start in range(0, len(samples), 700)]
    given = frames.fit(spoken[0]), items, np.array([np.nan], np.float32)
    return speech(*given, lookahead=2), words(*given, endpoint_seconds=0.1)


def speech_of_frames():
    items = [DRAW.normal(3, 2, (steps, 4)).astype(np.float32) for steps in (1, 0, 5, 2, 1, 7)]
    frames = GivenFrames(mean_seconds=0.1).fit([Frames(np.concatenate(items))])
    given = frames, items, np.zeros((2, 3), np.float32)
    search = {"ngrams": NamedNGrams.fit(["the ferry", "try the free"]), "hot_words": ["hey"], "endpoint_seconds": 0.06}
    return speech(*given), words(*given, beam=4, **search)


@pytest.fixture(scope="module")
def cases(text_parts, step_model, audio_model, spoken):
    model, plain = text(text_parts)
    pool = model.scorer.pool()
    samples, greedy_words = speech_of_samples(spoken)
    given_frames, searched_words = speech_of_frames()
    return {
        "text": plain,
        "text-pooled": Case(lambda: PooledStream(model, pool), plain.items, plain.whole, plain.bad),
        "text-gru-2": text(text_parts, cell="gru", num_layers=2, pooling="last")[1],
        "signal": signals(),
        "text-steps": labelled_steps(step_model(), plain.items, 5),
        "text-steps-delayed": labelled_steps(step_model(delayed=True), plain.items, 5),
        "signal-steps": labelled_steps(step_model("step"), list(DRAW.normal(3, 2, (9, 2))), [1.0, 2.0, 3.0]),
        "signal-steps-delayed": labelled_steps(
            step_model("step", delayed=True, cell="gru"), list(DRAW.normal(3, 2, (9, 2))), [1.0, 2.0, 3.0]
        ),
        "signal-window": signals(window=4),
        "signal-window-both-ways": signals(window=4, bidirectional=True),
        "tags": tags(2),
        "tags-greedy": tags(0, scheme="BIO"),
        "tags-softmax": tags(None, crf=False),
        "audio": audio(audio_model, spoken),
        "spotter": spotter(audio_model, spoken),
        "speech-samples": samples,
        "speech-frames": given_frames,
        "words-greedy": greedy_words,
        "words-searched": searched_words,
        "forecast-carried": forecaster(carried=True),
        "forecast-window": forecaster(carried=False),
        "detector": detector(False),
        "detector-adapting": detector("output"),
        "detector-reproducing": reproducing(),
        "language-char": language("char"),
        "language-word-ends": language("word", ends=True),
        "language-notes": language("notes"),
        "recurrence": recurrence(1),
        "recurrence-batch-3": recurrence(3),
        "sampler": sampler(),
    }


NAMES = (
    *("text", "text-pooled", "text-gru-2", "signal", "signal-window", "signal-window-both-ways", "audio", "spotter"),
    *("text-steps", "text-steps-delayed", "signal-steps", "signal-steps-delayed"),
    *("tags", "tags-greedy", "tags-softmax"),
    *("speech-samples", "speech-frames", "words-greedy", "words-searched"),
    *("detector", "detector-adapting", "detector-reproducing"),
    *("language-char", "language-word-ends", "language-notes"),
    *("forecast-carried", "forecast-window", "recurrence", "recurrence-batch-3", "sampler"),
)
ALIKE = {("text", "text-pooled"), ("text-pooled", "text")}
"""Streams that load each other's states."""


@pytest.fixture(params=NAMES)
def case(request, cases):
    return cases[request.param]


def bits(prediction):
    """A prediction as something that is equal only where every bit is."""
    if isinstance(prediction, np.ndarray):
        return prediction.dtype.str, prediction.shape, prediction.tobytes()
    if hasattr(prediction, "quantiles"):
        return bits(prediction.quantiles)
    if isinstance(prediction, Detection):
        parts = (prediction.score, prediction.threshold, prediction.anomaly)
        return bits(np.concatenate([parts, prediction.expected, prediction.low, prediction.high]))
    if isinstance(prediction, ExampleDetection):
        return bits(np.array([prediction.score, prediction.anomaly])), list(map(bits, prediction.rows))
    if isinstance(prediction, Transcript):
        return [repr(value) for value in vars(prediction).values()]
    if hasattr(prediction, "words"):
        return bits(prediction.scores), bits(prediction.seconds), prediction.words
    if isinstance(prediction, Surprisal):
        sums = prediction.nats, prediction.count
        return bits(np.array(sums)), prediction.tokens, bits(prediction.log_probabilities)
    if hasattr(prediction, "labels"):
        probabilities = prediction.probabilities
        return prediction.labels, None if probabilities is None else bits(probabilities)
    return json.dumps(prediction)


def test_pushed_and_finished_equals_whole_after_every_item(case):
    stream, seen = case.make(), []
    for item in [None, *case.items]:
        if item is not None:
            stream.push(item)
            seen.append(item)
        expected = case.whole(seen)
        if seen or expected is not None:
            assert bits(stream.fork().finish()) == bits(expected)
    assert bits(stream.finish()) == bits(case.whole(seen))


def test_saved_loaded_forked_and_traced_continue_with_the_same_bits_from_every_position(case):
    unbroken, traced_steps = case.make(), 0
    for item in case.items:
        data = unbroken.save(item=3)
        loaded, fork, traced = case.make().load(data), unbroken.fork(), unbroken.fork()
        assert states.notes(data) == {"item": 3}
        expected = bits(unbroken.push(item))
        assert bits(loaded.push(item)) == bits(fork.push(item)) == expected
        if case.shows:
            prediction, traces = traced.trace(item)
            traced_steps += len(traces)
            assert bits(prediction) == expected
            assert all(isinstance(array, np.ndarray) for step in traces for layer in step for array in layer.values())
            assert traced.save() == unbroken.save()
        assert loaded.save() == fork.save() == unbroken.save()
    assert traced_steps > 0 or not case.shows


def test_duplicates_continue_with_the_same_bits(case, duplicate):
    unbroken = case.make()
    for item in case.items[:3]:
        unbroken.push(item)
    before = unbroken.save()
    twin, beside = duplicate(unbroken), unbroken.fork()
    assert twin.save() == before
    for item in case.items[3:]:
        assert bits(twin.push(item)) == bits(beside.push(item))
    assert bits(duplicate(twin).finish()) == bits(beside.fork().finish())
    assert twin.save() == beside.save()
    assert unbroken.save() == before
    twin.reset()
    assert twin.save() == case.make().save()


def test_a_reset_stream_is_a_new_one(case):
    new, stream = case.make(), case.make()
    for item in case.items:
        stream.push(item)
        finished = stream.fork()
        finished.finish()
        for used in (stream.fork(), finished):
            used.reset()
            assert used.save() == new.save()
    stream.reset()
    assert bits(stream.push(case.items[0])) == bits(new.push(case.items[0]))


def test_many_items_at_once_are_as_many_pushes(case):
    one, many = case.make(), case.make()
    expected = [bits(one.push(item)) for item in case.items]
    assert [bits(each) for each in many.push_many(case.items)] == expected
    assert many.save() == one.save()


def test_a_finished_stream_takes_nothing_more(case):
    stream = case.make()
    stream.push_many(case.items)
    whole = bits(stream.finish())
    for finished in (stream, stream.fork(), case.make().load(stream.save())):
        before = finished.save()
        assert bits(finished.finish()) == whole
        for use in (finished.push, finished.trace, lambda item, stream=finished: stream.push_many([item])):
            with pytest.raises(StateError, match=r"finished: call reset\(\)"):
                use(case.items[0])
        assert finished.save() == before


def test_a_refused_item_leaves_the_stream_as_it_was(case):
    stream = case.make()
    for item in case.items[:5]:
        before = stream.save()
        for use in (stream.push, stream.trace):
            with pytest.raises(InputError):
                use(case.bad)
            assert stream.save() == before
        stream.push(item)


def test_a_look_inside_may_be_limited(case):
    """An item of too many steps is refused, also in the midst of it, and has not been read."""
    stream, refused = case.make(), 0
    for item in case.items:
        before = stream.save()
        steps = len(stream.fork().trace(item)[1]) if case.shows else 1
        if steps:
            refused += 1
            with pytest.raises(ConfigError, match=f"at most {steps - 1} steps" if case.shows else "bidirectional"):
                stream.trace(item, most=steps - 1)
            assert stream.save() == before
        stream.trace(item, most=steps) if case.shows else stream.push(item)
    assert refused


@pytest.mark.parametrize("most", [-1, 1.5, "2", True])
def test_an_invalid_limit_is_refused(case, most):
    with pytest.raises(ConfigError, match="most must be a whole number, at least 0"):
        case.make().trace(case.items[0], most=most)


def test_memory_does_not_grow(case):
    stream = case.make()
    sizes = {name: array.shape for name, array in stream.arrays().items()}
    for item in case.items:
        stream.push(item)
    assert {name: array.shape for name, array in stream.arrays().items()} == sizes


def test_a_damaged_state_is_refused_and_changes_nothing(case):
    stream = case.make()
    stream.push_many(case.items[:2])
    saved, before = stream.save(), stream.save()
    stream.push(case.items[2])
    now = stream.save()
    assert now != before
    for position in range(0, len(saved), 97):
        damaged = bytearray(saved)
        damaged[position] ^= 1
        with pytest.raises(StateError):
            stream.load(bytes(damaged))
    for end in (0, 8, len(saved) // 2, len(saved) - 1):
        with pytest.raises(StateError, match="cut short"):
            stream.load(saved[:end])
    assert stream.save() == now


def test_a_forged_state_is_refused_and_changes_nothing(case):
    """With a checksum that is right: counters that no stream can reach would be taken for places."""
    stream = case.make()
    stream.push_many(case.items[:2])
    now, about = stream.save(), {"kind": stream.kind, "model": stream._model.fingerprint}
    counters = {name for name, array in stream.arrays().items() if array.dtype == np.int64}
    assert "finished" in counters
    for name in counters:
        for number in (-(1 << 50), 1 << 60):
            forged = stream.arrays() | {name: np.full_like(stream.arrays()[name], number)}
            with pytest.raises(StateError, match=f"damaged: {name} must be from"):
                stream.load(states.pack(forged, **about))
    assert stream.save() == now


def test_a_forged_state_within_bounds_is_not_an_internal_failure(case):
    stream = case.make()
    stream.push_many(case.items[:2])
    about, refused = {"kind": stream.kind, "model": stream._model.fingerprint}, 0
    for name, array in stream.arrays().items():
        if array.dtype == np.int64 and name != "finished":
            for number in stream._bounds().get(name, (0, 1 << 53)):
                forged = case.make().load(states.pack(stream.arrays() | {name: np.full_like(array, number)}, **about))
                try:
                    forged.push(case.items[2])
                    forged.finish()
                except InputError:
                    refused += 1
    assert bits(stream.push(case.items[2])) is not None
    assert refused <= 6  # a series that goes on at another time, or that has another name


def test_a_foreign_state_is_refused(cases):
    saved = {name: case.make().save() for name, case in cases.items()}
    assert set(saved) == set(NAMES)
    for name, case in cases.items():
        for other, data in saved.items():
            if name == other or (name, other) in ALIKE:
                assert case.make().load(data).save() == data
                continue
            with pytest.raises(StateError, match=r"another model|state of a|does not match this stream"):
                case.make().load(data)
