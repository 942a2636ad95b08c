"""What training on series cuts out of them, beside slices made by hand; the quantile loss."""

from dataclasses import replace

import numpy as np
import torch

from penstock.forecast.features import ForecastFeatures, Scale, measured_scale
from penstock.forecast.module import CarriedModule
from penstock.forecast.objective import CarriedObjective, Examples, WindowObjective, pinball
from penstock.forecast.spec import ForecastHead, Segments
from penstock.network import Network, Recurrent
from penstock.panels.panel_columns import panel

HORIZON, CONTEXT = 3, 5


def examples(lengths=(20, 12), joint=False):
    draw = np.random.default_rng(0)
    ids = [name for name, length in zip("ab", lengths, strict=True) for _ in range(length)]
    columns = {"id": ids} | {name: draw.normal(size=len(ids)) for name in ("y", "z", "k")}
    found = panel(columns, targets=["y", "z"], id="id", known=["k"])
    features = ForecastFeatures(
        horizon=HORIZON,
        context=CONTEXT,
        quantiles=(0.1, 0.5, 0.9),
        targets=("y", "z"),
        known=("k",),
        names=("a", "b"),
        joint=joint,
        scales={},
        covariate_scale=np.array([[0.0], [1.0]]),
    )
    scales = [measured_scale(series.values, features) for series in found]
    features.scales = {name: np.stack([getattr(each, name) for each in scales]) for name in Scale._fields}
    encoded = [features.encode(series) for series in found]
    rows = [features.rows(each.identity) for each in encoded]
    made = Examples.of(encoded, rows, [CONTEXT] * 2, [length - HORIZON for length in lengths], joint)
    return made, encoded


def objective(kind, made, **more):
    shared = {
        "train": made,
        "valid": made,
        "quantiles": torch.tensor([0.1, 0.5, 0.9]),
        "context": CONTEXT,
        "horizon": HORIZON,
        "batch_size": 4,
        "steps": 6,
        "validation_origins": 50,
        "generator": torch.Generator().manual_seed(0),
    }
    return kind(**(shared | more))


def test_pinball_is_the_absolute_error_at_the_median():
    error = torch.tensor([[2.0, 2.0, 2.0], [-2.0, -2.0, -2.0]])
    found = pinball(error, torch.tensor([0.1, 0.5, 0.9]))
    torch.testing.assert_close(found, torch.tensor([[0.4, 2.0, 3.6], [3.6, 2.0, 0.4]]))


def test_rows_are_targets_of_series_with_numbers_of_their_own():
    made, _ = examples()
    assert made.identities.tolist() == [1, 2, 3, 4]
    assert made.counts.tolist() == [13, 13, 5, 5]
    assert examples(joint=True)[0].identities.tolist() == [1, 2]


def test_windows_are_cut_where_they_should():
    made, encoded = examples()
    values, covariates, known, truth, observed = made.windows(np.array([1, 2]), np.array([7, 9]), CONTEXT, HORIZON)
    np.testing.assert_array_equal(values[0, :, 0], encoded[0].values[2:7, 1])
    np.testing.assert_array_equal(covariates[1], encoded[1].covariates[4:9])
    np.testing.assert_array_equal(known[1], encoded[1].known[9:12])
    np.testing.assert_array_equal(truth[1, :, 0], encoded[1].values[9:12, 0])
    assert observed.all()


def test_all_origins_are_drawn_and_none_beyond():
    made, _ = examples()
    rows, origins = made.draw(4000, np.random.default_rng(0))
    for row in range(4):
        assert set(origins[rows == row]) == set(range(made.first[row], made.last[row] + 1))
    rows, origins = made.spread(10_000)
    assert len(rows) == made.counts.sum()


def test_an_epoch_of_windows_has_its_batches():
    batches = objective(WindowObjective, examples()[0]).batches(np.random.default_rng(0))
    assert [len(rows) for rows, _ in batches] == [4] * 6


class Recorder(CarriedModule):
    """Remembers what it was shown."""

    def forward(self, steps, last, known, identity, state=None):
        self.shown.append((steps.clone(), identity.clone(), state))
        return super().forward(steps, last, known, identity, state)


def carried_module():
    network = Network(
        Segments(1, 3, 4, 4), Recurrent(cell="gru", input_size=4, hidden_size=4), ForecastHead(HORIZON, 1, 3, 1)
    )
    torch.manual_seed(0)
    module = Recorder(network)
    module.shown = []
    return module


def test_streams_are_read_on_with_their_state():
    """A stretch's truth lies right ahead of each step; the next stretch begins where it ended."""
    made, encoded = examples()
    goal, module = objective(CarriedObjective, made, chunk=4), carried_module()
    draw = np.random.default_rng(0)
    for chunk in goal.batches(draw):
        loss, _ = goal.loss(module, chunk)
        assert torch.isfinite(loss)
        steps, _, state = module.shown[-1]
        for stream, (row, place) in enumerate(zip(chunk.rows, chunk.starts, strict=True)):
            series, column = divmod(int(row), 2)
            own = encoded[series].values[:, column]
            count = min(4, made.last[row] - place)
            np.testing.assert_array_equal(steps[stream, :count, 0], own[place : place + count])
            changes = own[place : place + count] - np.concatenate([own[:1], own])[place : place + count]
            np.testing.assert_array_equal(steps[stream, :count, 1], changes)
            assert (state is None or not state[:, stream].any()) == chunk.fresh[stream]


def test_validation_of_a_carried_state_folds_the_whole_series():
    made, _ = examples()
    goal, module = objective(CarriedObjective, made, chunk=4), carried_module()
    found = goal.validate(module)["loss"]
    total = count = 0.0
    for row in range(4):
        values, known = made.values[row], made.known[row]
        for origin in range(made.first[row], made.last[row] + 1):
            own = values[:origin]
            steps = torch.cat([own, own - torch.cat([own[:1], own[:-1]]), made.covariates[row][:origin]], 1)[None]
            ahead = known[origin : origin + HORIZON].expand(1, origin, -1, -1)
            with torch.no_grad():
                forecast = module.eval()(steps, own[None], ahead, made.identities[row : row + 1])[0][0, -1]
            error = values[origin : origin + HORIZON, :, None] - forecast
            total, count = total + pinball(error, goal.quantiles).mean(-1).sum().item(), count + HORIZON
    np.testing.assert_allclose(found, total / count, rtol=1e-5)  # float32, other orders of sums
    assert goal.validate_seen(module)["loss"] == found  # here the training data is the validation data
    other = replace(goal, train=examples((14, 11))[0])
    assert other.validate_seen(module)["loss"] == replace(other, valid=other.train).validate(module)["loss"] != found
