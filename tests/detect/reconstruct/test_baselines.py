"""The nearest training example, held to a slow reference and to scikit-learn; how it is kept, told and limited."""

import json
from itertools import pairwise

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

import penstock
from penstock import AnomalyDetector
from penstock.detect.reconstruct import baseline_training
from penstock.detect.reconstruct.baseline_training import fit_example_baselines
from penstock.detect.reconstruct.baselines import NEAREST, ExampleBaselines
from penstock.errors import BundleError

DRAW = np.random.default_rng(0)
EXAMPLES = [DRAW.normal(size=(steps, 2)) for steps in (7, 9, 9, 5, 8)]
"""Examples to learn from, of other lengths; one value and one whole step are missing."""
EXAMPLES[1][3, 0] = np.nan
EXAMPLES[4][2] = np.nan


@pytest.fixture(scope="module")
def arrays():
    return fit_example_baselines(EXAMPLES, 9)[0]


def slowly(known, values):
    """The scores of one example's steps, as the class describes them."""
    found = []
    for example in known:
        filled = np.zeros((9, 2))
        filled[: len(example)] = np.where(np.isnan(example), 0.0, example)
        found.append([_mean((row - other) ** 2) for row, other in zip(values, filled, strict=False)])
    return min(found, key=_mean)


def _mean(values):
    there = np.array(values)[~np.isnan(values)]
    return there.mean() if len(there) else np.nan


def test_scores_by_their_definition(arrays):
    values = DRAW.normal(size=(9 + 9 + 1 + 4, 2))
    values[4, 1] = np.nan
    values[10] = np.nan
    cuts = np.array([0, 9, 18, 19, 23])
    found = ExampleBaselines(arrays, 9).scores(NEAREST, values, 0, cuts)
    expected = np.concatenate([slowly(EXAMPLES, values[a:b]) for a, b in pairwise(cuts)])
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert np.isnan(found).sum() == 1
    alone = ExampleBaselines(arrays, 9).scores(NEAREST, values[9:18])
    np.testing.assert_array_equal(alone, found[9:18])


def test_complete_examples_are_as_far_as_scikit_learn_says():
    known, others = DRAW.normal(size=(50, 12, 3)), DRAW.normal(size=(1100, 12, 3))
    baselines = ExampleBaselines(fit_example_baselines(list(known), 12)[0], 12)
    found = baselines.scores(NEAREST, others.reshape(-1, 3), 0, np.arange(0, 1100 * 12 + 1, 12))
    theirs, _ = NearestNeighbors(n_neighbors=1).fit(known.reshape(50, -1)).kneighbors(others.reshape(1100, -1))
    np.testing.assert_allclose(found.reshape(1100, 12).sum(axis=1) * 3, theirs[:, 0] ** 2, rtol=1e-5)


def test_an_example_without_a_value_has_no_score(arrays):
    values = np.concatenate([np.full((9, 2), np.nan), np.zeros((9, 2))])
    found = ExampleBaselines(arrays, 9).scores(NEAREST, values, 0, np.array([0, 9, 18]))
    assert np.isnan(found[:9]).all()
    assert np.isfinite(found[9:]).all()


def test_the_threshold_is_the_largest_score_by_examples_that_share_no_step(arrays):
    largest = [np.nanmax(slowly([*EXAMPLES[:n], *EXAMPLES[n + 1 :]], EXAMPLES[n])) for n in range(5)]
    assert arrays["nearest.threshold"][0] == pytest.approx(max(largest), rel=1e-5)
    values = np.sin(np.arange(30.0))[:, None]
    found = fit_example_baselines([values], 9)[0]
    apart = [
        min((np.square(values[a : a + 9] - values[b : b + 9])[:, 0] for b in range(22) if abs(a - b) >= 9), key=np.mean)
        for a in range(22)
    ]
    assert found["nearest.threshold"][0] == pytest.approx(np.max(apart), rel=1e-4)
    alone = ExampleBaselines(fit_example_baselines([values], 20)[0], 20)
    assert not alone.flags(NEAREST, np.array([1e9])).any()


def test_a_longer_series_has_an_example_at_each_step_that_has_values():
    values = np.arange(30.0)[:, None]
    values[:12] = np.nan
    examples = fit_example_baselines([values], 9)[0]["nearest.examples"]
    assert examples[:, -1, 0].tolist() == list(range(12, 30))


def test_few_examples_are_kept_the_same_each_time(monkeypatch):
    many = [DRAW.normal(size=(4, 2)) for _ in range(40)]
    monkeypatch.setattr(baseline_training, "_MOST_EXAMPLES", 30)
    arrays, settings = fit_example_baselines(many, 4)
    assert arrays["nearest.examples"].shape == (30, 4, 2)
    assert settings[NEAREST] == {"examples": 30}
    np.testing.assert_array_equal(arrays["nearest.examples"], fit_example_baselines(many, 4)[0]["nearest.examples"])
    monkeypatch.setattr(baseline_training, "_MOST_NUMBERS", 80)
    assert len(fit_example_baselines(many, 4)[0]["nearest.examples"]) == 10
    monkeypatch.setattr(baseline_training, "_MOST_NUMBERS", 1)
    assert len(fit_example_baselines(many, 4)[0]["nearest.examples"]) == 1


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ({"nearest.examples": None}, "lacks nearest.examples"),
        ({"nearest.threshold": None}, "lacks nearest.threshold"),
        ({"nearest.examples": np.zeros((5, 9, 3), np.float32)}, r"must be numbers \(examples, 9, 2\); got \(5, 9, 3"),
        ({"nearest.examples": np.zeros((5, 8, 2), np.float32)}, r"got \(5, 8, 2\)"),
        ({"nearest.examples": np.zeros((0, 9, 2), np.float32)}, "must be numbers"),
        ({"nearest.examples": np.full((5, 9, 2), np.nan, np.float32)}, "must be numbers"),
    ],
)
def test_damaged_arrays_are_refused(arrays, damage, message):
    with pytest.raises(BundleError, match=message):
        ExampleBaselines({name: each for name, each in (arrays | damage).items() if each is not None}, 9)


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """A saved detector of bumps, with its baselines."""
    bumps = {str(n): np.exp(-((np.arange(12) - 5) ** 2) / 4) + DRAW.normal(0, 0.05, 12) for n in range(40)}
    detector = AnomalyDetector(kind="reconstruct", hidden_size=4, epochs=1, batch_size=8, random_state=0).fit(bumps)
    return detector.save(tmp_path_factory.mktemp("compared") / "model")


def test_it_is_the_main_baseline_of_a_saved_detector(compared):
    model = penstock.load(compared)
    panel = {str(n): np.exp(-((np.arange(12) - 5) ** 2) / 4) for n in range(5)}
    panel["4"] = panel["4"][::-1] * -1
    found = model.evaluate(panel, {"4": [(0, 11)]})
    assert next(iter(found["baselines"])) == NEAREST
    assert found["baselines"][NEAREST]["example_auc"] == 1.0
    assert found["baseline"] == found["baselines"][NEAREST]
    metrics = json.loads((compared / "metrics.json").read_text())
    assert metrics["main_baseline"] == NEAREST
    assert metrics["baseline"][NEAREST]["settings"] == {"examples": 32}
    assert "Distance to the nearest training example" in (compared / "report.html").read_text()
