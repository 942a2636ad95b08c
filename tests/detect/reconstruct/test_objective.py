"""The loss is the likelihood that the runtime's distribution gives the values, and each pass cuts elsewhere."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from penstock import nn
from penstock.detect.building import array_timelines
from penstock.detect.data import DetectData, TrainingTimelines
from penstock.detect.head import logistic
from penstock.detect.reconstruct.features import ReconstructionFeatures
from penstock.detect.reconstruct.objective import objective_of
from penstock.detect.reconstruct.spec import ReconstructionHead
from penstock.errors import ConfigError
from penstock.network import Network, Numbers, Recurrent
from penstock.runtime.scorer import build
from penstock.sequences import Sequences

DRAW = np.random.default_rng(0)
VALUES = DRAW.normal(3, 2, (11, 2))
VALUES[2], VALUES[7, 1] = np.nan, np.nan
DATA = array_timelines(VALUES)
FEATURES = ReconstructionFeatures(
    targets=DATA.targets,
    window=4,
    names=("series",),
    location=np.array([[0.0, 0], [3, 2]]),
    spread=np.full((2, 2), 2.0),
)


@pytest.mark.parametrize("window", [1, 1 << 21])
def test_an_example_of_no_or_of_any_length_is_refused(window):
    with pytest.raises(ConfigError, match=f"must have 2 to 1,048,576 rows; got {window}"):
        replace(FEATURES, window=window)


def test_columns_that_are_no_texts_are_refused():
    written = FEATURES.to_json()
    assert ReconstructionFeatures.from_json(written).targets == FEATURES.targets
    with pytest.raises(ConfigError, match="can't be read: targets must be"):
        ReconstructionFeatures.from_json(written | {"targets": [["x"], "y"]})


def objective():
    data = DetectData(TrainingTimelines(DATA, 10), DATA, None, {}, {})
    return objective_of(data, FEATURES, batch_size=2, seed=0)


def test_the_loss_is_minus_the_logarithm_of_the_density_of_what_is_there():
    torch.manual_seed(0)
    head = ReconstructionHead(2, Recurrent(input_size=5, hidden_size=3))
    network = Network(Numbers(4), Recurrent(input_size=4, hidden_size=5), head)
    module = nn.build(network)
    scorer = build(network, {name: value.numpy() for name, value in module.state_dict().items()})
    found = objective().validate(module)["loss"]
    x = FEATURES.encode(VALUES, 1)
    location, scale = logistic(scorer.scores(Sequences(x, np.array([0, 4, 8, 11]))).values, np.zeros((11, 2)))
    distance = ((VALUES - [3, 2]) / 2 - location) / scale
    density = np.exp(-distance) / (scale * (1 + np.exp(-distance)) ** 2)
    np.testing.assert_allclose(found, -np.nanmean(np.log(density)), rtol=1e-5)  # float32 beside float64


def test_each_pass_has_every_step_once_and_begins_elsewhere():
    own, seen = objective(), set()
    for number in range(20):
        (pieces,) = [own._cut(np.random.default_rng(number))]
        steps = [step for _, start, count in pieces.tolist() for step in range(start, start + count)]
        assert steps == list(range(11))
        assert pieces[:, 2].max() <= 4
        seen.add(int(pieces[0, 2]))
    assert seen == {1, 2, 3, 4}
    assert len(own.batches(np.random.default_rng(0))) == 5
