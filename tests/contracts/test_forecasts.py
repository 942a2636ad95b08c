"""Forecasters with random weights: streamed ≡ whole ≡ any batch, bit for bit; runtime ≡ PyTorch."""

import numpy as np
import pytest
import torch

from penstock import nn
from penstock.errors import ConfigError, DataError, StateError
from penstock.forecast.baselines import Origins
from penstock.forecast.features import ForecastFeatures, Scale, measured_scale
from penstock.forecast.model import ForecastModel
from penstock.forecast.spec import ForecastHead, SegmentForecastHead, Segments
from penstock.network import Network, Recurrent
from penstock.network.lowering import graph_of
from penstock.panels.frequency import Frequency
from penstock.panels.panel_columns import panel
from penstock.runtime.graph_scorer import GraphScorer

HORIZON, CONTEXT, STEPS = 5, 17, 60
HOUR = Frequency("second", 3600, 0)
CASES = {
    "window": {},
    "window-joint-lstm-2": {"joint": True, "cell": "lstm", "layers": 2},
    "window-instance-log": {"normalization": "instance", "transform": "log"},
    "window-last-plain": {"normalization": "last", "highway": 0, "identities": False},
    "carried": {"carried": True},
    "carried-joint-lstm-2": {"carried": True, "joint": True, "cell": "lstm", "layers": 2},
    "carried-rnn-log1p": {"carried": True, "cell": "rnn", "transform": "log1p", "identities": False},
    "window-log-calibrated": {"transform": "log", "factors": (1.3, 1.0, 1.7)},
    "carried-calibrated": {"carried": True, "factors": (2.9, 1.0, 1.1)},
}


def table(steps, seed, ahead=HORIZON):
    """Two targets, a past and a known covariate; some values missing."""
    draw = np.random.default_rng(seed)
    rows = steps + ahead
    columns = {name: np.exp(draw.normal(size=rows)) for name in ("y", "z", "rain", "promo")}
    for name in ("y", "z", "rain"):
        columns[name][draw.integers(1, rows, 6)] = np.nan
    columns["y"][0] = 1.0
    for name in ("y", "z", "rain"):
        columns[name][steps:] = np.nan
    columns["y"][steps - 1] = 2.0
    return columns | {"ds": HOUR.times(np.arange(rows)), "id": ["a"] * rows}


def of(columns, **more):
    return panel(columns, targets=["y", "z"], time="ds", id="id", past=["rain"], known=["promo"], **more)


def model(
    *,
    carried=False,
    joint=False,
    cell="gru",
    layers=1,
    identities=True,
    highway=9,
    normalization="relative",
    transform="none",
    factors=(),
):
    train = of(table(STEPS, 0, ahead=0))
    features = ForecastFeatures(
        horizon=HORIZON,
        context=CONTEXT,
        quantiles=(0.1, 0.5, 0.9),
        targets=("y", "z"),
        past=("rain",),
        known=("promo",),
        transform=transform,
        normalization=normalization,
        calendar=("hour", "weekday"),
        joint=joint,
        season=3,
        frequency=train.frequency,
        time="ds",
        id="id",
        names=("a",),
        scales={},
        covariate_scale=np.array([[0.5, 1.0], [2.0, 3.0]]),
        factors=factors,
    )
    scale = measured_scale(train.series[0].values, features)
    features.scales = {name: getattr(scale, name)[None] for name in Scale._fields}
    targets, known, size = (2 if joint else 1), 1 + 4, 6
    rows = (1 if joint else 2) if identities else 0
    about = {"horizon": HORIZON, "targets": targets, "quantiles": 3, "known": known}
    recurrent = Recurrent(cell=cell, input_size=size, hidden_size=7, num_layers=layers)
    if carried:
        network = Network(
            Segments(1, 2 * targets + 1 + known, size, rows), recurrent, ForecastHead(**about, known_size=4)
        )
    else:
        head = SegmentForecastHead(
            length=4, size=size, context=CONTEXT, highway=highway, normalization=normalization, **about
        )
        network = Network(Segments(4, targets + 1 + known, size, rows), recurrent, head)
    draw = np.random.default_rng(1)
    shapes = network.parameter_shapes().items()
    return ForecastModel(
        network, features, [], {name: draw.normal(size=shape, scale=0.3).astype(np.float32) for name, shape in shapes}
    )


def observations(columns, steps, identity="a"):
    for step in range(steps):
        ahead = columns["promo"][step + 1 : step + 1 + HORIZON].tolist()
        row = {name: columns[name][step] for name in ("y", "z", "rain", "promo")}
        yield row | {"ds": str(columns["ds"][step]), "id": identity, "ahead": {"promo": ahead}}


@pytest.fixture(params=CASES, name="made")
def every_model(request):
    return model(**CASES[request.param])


@pytest.mark.parametrize("identity", ["a", "never seen"])
def test_streamed_equals_whole(made, identity):
    columns = table(40, 2)
    stream = made.stream()
    for step, observation in enumerate(observations(columns, 40, identity), start=1):
        answer = stream.push(observation)
        if step < CONTEXT:
            assert answer is None
        elif step in (CONTEXT, CONTEXT + 1, 30, 40):
            rows = {name: np.array(values[: step + HORIZON], object) for name, values in columns.items()}
            for name in ("y", "z", "rain"):
                rows[name][step:] = np.nan
            if np.isnan([columns["y"][step - 1], columns["z"][step - 1]]).all():
                continue  # such a row would say that nothing has been seen of it yet
            whole = of(rows | {"id": [identity] * (step + HORIZON)})
            np.testing.assert_array_equal(answer.quantiles, made.predict_quantiles(whole)[0])
            np.testing.assert_array_equal(answer.prediction, made.predict(whole)[0])


@pytest.mark.parametrize("identity", ["a", "never seen"])
def test_a_stream_begins_with_the_first_value_as_a_panel_does(made, identity):
    columns = table(60, 2)
    for name in ("y", "z"):
        columns[name][:20] = np.nan
    stream = made.stream()
    answers = [stream.push(observation) for observation in observations(columns, 60, identity)]
    assert answers[: 20 + CONTEXT - 1] == [None] * (20 + CONTEXT - 1)
    whole = made.predict_quantiles(of(columns | {"id": [identity] * (60 + HORIZON)}))
    np.testing.assert_array_equal(answers[-1].quantiles, whole[0])


def test_saved_states_continue_with_the_same_bits(made):
    columns = table(45, 3)
    stream, seen = made.stream(), list(observations(columns, 45))
    for at, observation in enumerate(seen):
        if at in (5, 30):
            twin = made.stream().load(stream.save())
            assert (twin.fork().push(observation) is None) == (at == 5)
        answer = stream.push(observation)
        if at >= 30:
            np.testing.assert_array_equal(twin.push(observation).quantiles, answer.quantiles)
    stream.reset()
    assert stream.save() == made.stream().save()
    with pytest.raises(StateError, match="another model"):
        model(cell="lstm").stream().load(stream.save())


def test_an_origin_alone_equals_many_side_by_side(made):
    (series,) = of(table(STEPS, 4)).series
    encoded = made.features.encode(series, HOUR)
    steps = np.arange(CONTEXT, STEPS + 1)
    together = made.forecasts(Origins(series, encoded, steps))
    for place in (0, 7, len(steps) - 1):
        alone = made.forecasts(Origins(series, encoded, steps[place : place + 1]))
        np.testing.assert_array_equal(alone[0], together[place])


def test_runtime_equals_pytorch(made):
    """To float32 through some dozen products: 1e-5 of values about 1."""
    module = nn.build(made.network, init="torch", dropout=0.5).eval()
    module.load_state_dict({name: torch.tensor(array) for name, array in made.tensors.items()})
    (series,) = of(table(STEPS, 5)).series
    encoded, features = made.features.encode(series, HOUR), made.features
    at, rows = 50, torch.from_numpy(features.rows(encoded.identity))
    known = torch.from_numpy(encoded.known[at : at + HORIZON])
    values = torch.from_numpy(encoded.values[:at])
    several = [values[:, k : k + 1] for k in range(2)] if not features.joint else [values]
    covariates = torch.from_numpy(encoded.covariates[:at])
    found = []
    for row, own in zip(rows[:, None], several, strict=True):
        if made.carries:
            before = torch.cat([own[:1], own[:-1]])
            steps = torch.cat([own, own - before, covariates], 1)[None]
            ahead = known.expand(1, at, -1, -1)
            found.append(module(steps, own[None], ahead, row)[0][0, -1])
        else:
            window = slice(at - CONTEXT, at)
            found.append(module(own[None, window], covariates[None, window], known[None], row)[0][0])
    outputs = torch.cat(found, 1).detach().numpy()
    expected = made.forecasts(Origins(series, encoded, np.array([at])))[0]
    np.testing.assert_allclose(features.forecasts(outputs, encoded.scale), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_a_long_stream_keeps_its_size_and_equals_the_whole():
    """10,000 items; the answers to the last ones are those to the whole series."""
    made = model(carried=True, cell="rnn", identities=False)
    made.features.calendar, made.features.past, made.features.known = (), (), ()
    made = _without_covariates(made)
    steps = 10_000
    values = np.random.default_rng(6).normal(size=(steps, 2))
    stream = made.stream()
    size = sum(array.nbytes for array in stream.arrays().values())
    stream.read(values[:-1])
    answer = stream.push(values[-1])
    assert sum(array.nbytes for array in stream.arrays().values()) == size
    np.testing.assert_array_equal(answer.quantiles, made.predict_quantiles({"a": values})[0])


def _without_covariates(made):
    """A smaller model of the same kind."""
    made.features.covariate_scale = np.zeros((2, 0))
    made.features.time, made.features.frequency = None, None
    network = Network(
        Segments(1, 2, 3, 0), Recurrent(cell="rnn", input_size=3, hidden_size=4), ForecastHead(HORIZON, 1, 3)
    )
    draw = np.random.default_rng(7)
    shapes = network.parameter_shapes().items()
    tensors = {name: draw.normal(size=shape, scale=0.3).astype(np.float32) for name, shape in shapes}
    return ForecastModel(network, made.features, [], tensors)


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({"y": 1.0}, "lacks z, rain, promo"),
        ({"y": "x", "z": 1, "rain": 1, "promo": 1, "ds": "2020-01-01"}, "y must be a number; got 'x'"),
        ({"y": np.inf, "z": 1, "rain": 1, "promo": 1, "ds": "2020-01-01"}, "y must be finite"),
        ({"y": 1e300, "z": 1, "rain": 1, "promo": 1, "ds": "2020-01-01"}, r"y must be finite, 1e\+100 at most"),
        ({"y": 10**400, "z": 1, "rain": 1, "promo": 1, "ds": "2020-01-01"}, "y must be finite"),
        ({"y": 1, "z": 1, "rain": 1, "promo": 1}, "must have its ds: the model reads the calendar"),
        ([1, 2, 3, 4], "must be an object with its ds"),
        ({"id": "a", "y": "x", "z": 1, "rain": 1, "promo": 1, "ds": "2020-01-02"}, "y must be a number; got 'x'"),
    ],
)
def test_what_is_not_an_observation_is_refused(item, message):
    stream = model().stream()
    before = stream.save()
    with pytest.raises(DataError, match=message):
        stream.push(item)
    assert stream.save() == before


def test_what_is_missing_may_be_said_as_in_a_table():
    seen = list(observations(table(40, 8), CONTEXT + 3))
    answers = []
    for word in (None, np.nan, "", " NA ", "null"):
        stream = model().stream()
        answers.append([stream.push(each | ({"y": word} if place % 2 else {})) for place, each in enumerate(seen)][-1])
    for answer in answers[1:]:
        np.testing.assert_array_equal(answer.quantiles, answers[0].quantiles)


def test_what_lies_far_off_leaves_a_stream_finite(made):
    stream, seen = made.stream(), list(observations(table(40, 8), CONTEXT + 3))
    seen[CONTEXT]["y"] = seen[CONTEXT]["rain"] = 1e90
    for answer in [stream.push(each) for each in seen][CONTEXT:]:
        assert np.isfinite(answer.quantiles).all()


def test_observations_must_come_one_after_the_other_and_know_what_is_ahead():
    made = model()
    stream, seen = made.stream(), list(observations(table(40, 8), 40))
    stream.push(seen[0])
    with pytest.raises(DataError, match=r"step by step, 1 hour apart; .* is 2 steps after"):
        stream.push(seen[2])
    for observation in seen[1 : CONTEXT - 1]:
        stream.push(observation)
    with pytest.raises(DataError, match=f"the {HORIZON} values of promo at the steps ahead; got 0"):
        stream.push({name: value for name, value in seen[CONTEXT - 1].items() if name != "ahead"})
    before = stream.save()
    with pytest.raises(DataError, match=f"the {HORIZON} values of promo at the steps ahead; got 0"):
        stream.push(seen[CONTEXT - 1] | {"ahead": {"promo": 1}})
    assert stream.save() == before
    with pytest.raises(DataError, match="a stream is of one series; got 'b' too"):
        stream.push(seen[CONTEXT - 1] | {"id": "b"})
    assert stream.push(seen[CONTEXT - 1]) is not None
    with pytest.raises(DataError, match="no series 'b' in the model"):
        made.stream("b")


def test_two_series_that_training_did_not_know_are_not_mixed():
    made, seen = model(), list(observations(table(40, 8), 40))
    stream = made.stream()
    stream.push(seen[0] | {"id": "new"})
    stream.push({name: value for name, value in seen[1].items() if name != "id"})  # of the same series
    before = stream.save()
    for each in (stream, made.stream().load(before)):
        with pytest.raises(DataError, match="a stream is of one series; got 'other' too"):
            each.push(seen[2] | {"id": "other"})
        assert each.save() == before
        each.push(seen[2] | {"id": "new"})
    stream.reset()
    stream.push(seen[0] | {"id": "other"})


@pytest.mark.parametrize("case", [name for name in CASES if "carried" in name])
def test_the_inputs_of_the_exported_graph_give_the_models_outputs(case):
    found = model(**CASES[case])
    columns = table(STEPS, 3)
    graph, tensors = graph_of(found.network, found.tensors)
    inputs = found.encode(of(columns))
    assert set(graph.inputs) <= set(inputs)
    scores = GraphScorer(graph, tensors).scores({name: inputs[name] for name in graph.inputs})["forecasts"]
    (series,) = of(columns)
    steps = np.arange(1, len(series) + 1)
    expected = found.outputs(Origins(series, found.features.encode(series, HOUR), steps))
    head, rows = found.network.head, 1 if found.features.joint else 2
    assert len(scores) == rows
    for row in range(rows):
        own = scores[row].reshape(len(steps), HORIZON, head.targets, 3)
        columns = slice(None) if found.features.joint else slice(row, row + 1)
        np.testing.assert_array_equal(own, expected[:, :, columns])


def test_a_look_back_has_no_graph_to_give_inputs_for():
    with pytest.raises(ConfigError, match="a forecaster with a look-back has no graph"):
        model().encode(of(table(STEPS, 3)))
