"""The loss of CTC beside a sum over all alignments, and what augmentation may change."""

import itertools

import numpy as np
import pytest
import torch

from penstock import nn
from penstock.network import Network, Numbers, Recurrent
from penstock.sequences import Sequences
from penstock.speech.features import SpeechFeatures
from penstock.speech.frames import Frames, GivenFrames
from penstock.speech.objective import CtcObjective, SpeechRegularization, needed_steps
from penstock.speech.spec import CtcHead

NONE = {"masks": 0, "band_mask": 0, "time_mask": 0, "input_dropout": 0.0, "output_dropout": 0.0}
INPUTS = [Frames(np.random.default_rng(row).normal(size=(steps, 2))) for row, steps in enumerate((4, 5))]
TEXTS = ["ab", "aa"]


def goal(weights=None, speeds=(), inputs=INPUTS, subsampling=1, **strength):
    features = SpeechFeatures.fit(GivenFrames(), inputs, TEXTS, stack=subsampling, subsampling=subsampling)
    frames, (targets, _) = features.frames.apply(inputs), features.targets(TEXTS)
    return CtcObjective(
        features=features,
        speeds=[frames, *(features.faster(inputs, speed) for speed in speeds)],
        targets=targets,
        valid_steps=features.apply(inputs),
        valid_targets=targets,
        seen_steps=features.apply(inputs),
        seen_targets=targets,
        batch_size=2,
        regularization=SpeechRegularization(**(NONE | strength)),
        generator=torch.Generator().manual_seed(0),
        sample_weights=weights,
    )


def module(features):
    torch.manual_seed(0)
    encoder = Recurrent(cell="gru", input_size=features.size, hidden_size=4)
    return nn.build(Network(Numbers(features.size), encoder, CtcHead(features.outputs)))


def summed(scores, target):
    """Minus the logarithm of the summed probability of all alignments of a transcript."""
    total = 0.0
    for path in itertools.product(range(scores.shape[1]), repeat=len(scores)):
        if [token for token, _ in itertools.groupby(path) if token] == list(target):
            total += np.exp(sum(scores[step, token] for step, token in enumerate(path)))
    return -np.log(total)


@pytest.mark.parametrize("weights", [None, np.array([0.5, 1.5])], ids=["equal", "weighted"])
def test_the_loss_is_the_sum_over_all_alignments(weights):
    ours = goal(weights)
    network = module(ours.features)
    loss, tokens = ours.loss(network, np.array([0, 1]))
    expected = 0.0
    for row, (steps, target) in enumerate(zip(ours.valid_steps, ours.targets, strict=True)):
        with torch.no_grad():
            scores = network(torch.from_numpy(steps)[None])[0].double().numpy()
        expected += summed(scores, target) * (1 if weights is None else weights[row])
    assert tokens == 4
    assert loss.item() == pytest.approx(expected / tokens, rel=1e-5)  # float32 in PyTorch
    if weights is None:
        assert ours.validate(network)["loss"] == ours.validate_seen(network)["loss"] == pytest.approx(loss.item())


def test_a_repeated_token_needs_a_blank_between():
    targets = Sequences.from_list([[1, 2], [1, 1, 1], [], [2]], np.int64)
    assert needed_steps(targets).tolist() == [2, 5, 0, 1]


def test_a_transcript_that_does_not_fit_is_left_out_of_validation():
    short = [INPUTS[0], Frames(INPUTS[1].samples[:2])]
    ours = goal(inputs=short)
    network = module(ours.features)
    with torch.no_grad():
        scores = network(torch.from_numpy(ours.valid_steps[0])[None])[0].double().numpy()
    assert ours.validate(network)["loss"] == pytest.approx(summed(scores, ours.targets[0]) / 2, rel=1e-5)


def test_speed_and_shift_never_make_a_transcript_too_long():
    ours = goal(speeds=(1.6, 0.5), inputs=[Frames(each.samples.repeat(3, 0)) for each in INPUTS], subsampling=3)
    network = module(ours.features)
    losses = {round(ours.loss(network, np.array([0, 1]))[0].item(), 6) for _ in range(20)}
    assert len(losses) > 1
    assert np.isfinite(list(losses)).all()


def test_masks_hide_spans_of_frames_and_of_features():
    ours = goal(masks=1, band_mask=1, time_mask=2)
    x, lengths = torch.ones(40, 20, 2), torch.full((40,), 20)
    hidden = ours._masked(x, lengths) == 0
    whole_frames, whole_features = hidden.all(2).sum(1), hidden.all(1).sum(1)
    assert set(whole_frames.tolist()) == {0, 1, 2}
    assert set(whole_features.tolist()) == {0}  # a quarter of two features is none
