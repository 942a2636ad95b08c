"""Every task: the gradient of a batch divided between two workers is that of the whole batch, to rounding."""

import math
import random
from copy import deepcopy
from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from small_trainings import TRAININGS

from penstock.datasets import shard
from penstock.forecast import objective as forecasts
from penstock.language.objective import PieceObjective
from penstock.network import Network, Numbers, Recurrent, StepClassHead
from penstock.nn import NetworkModule
from penstock.sequences import Sequences
from penstock.training import Job, Recipe, Regularization, StepClassObjective, Trainer
from penstock.training.strategy import OneProcess

BATCH = 13  # odd, so that parts differ in rows too
IN_SHORT = ("forecasting", "tagging")
"""Those that run at each change; the rest is slow."""
# Options that draw random numbers, or compare the rows of a batch: each worker draws and compares for itself.
STILL = dict.fromkeys((
    "word_dropout", "embedding_dropout", "input_dropout", "layer_dropout", "output_dropout", "dropout", "weight_drop",
    "prefix_share", "next_token_share", "mixup", "sampling_share", "speed", "trim_share", "stretch", "warp", "blur",
    "contrast", "shift_seconds", "gain_db", "color_db", "noise_share", "context_share", "spot_share",
), 0.0) | {"masks": 0, "teachers": 0, "subsampling": 1}  # fmt: skip


def sentences():
    draw = random.Random(0)
    found = [draw.choices(["Ada", "sings", "."], k=draw.randint(1, 9)) for _ in range(40)]
    return found, [["B-PER" if token == "Ada" else "O" for token in each] for each in found]


def pairs():
    draw = random.Random(0)
    sources = ["".join(draw.choices("abcd", k=draw.randint(1, 9))) for _ in range(40)]
    return sources, [source[::-1].upper() for source in sources]


def with_gaps(series):
    """The series with a third of its values missing, most of them in its first half."""
    draw, found = np.random.default_rng(0), np.array(series)
    found[draw.random(len(found)) < np.linspace(0.6, 0.05, len(found))] = np.nan
    return found


def spoken(seed=0):
    """Recordings of one to four of two words each."""
    from penstock.audio.synthetic_words import synthetic_words

    words, labels = synthetic_words(24, np.random.default_rng(seed), ["yes", "no"])
    ends = np.cumsum([1, 4, 2, 1, 3, 4, 1, 2, 3, 1, 2, 4, 1, 3, 2, 1, 4, 3])
    parts = [slice(start, end) for start, end in zip([0, *ends[:-1]], ends, strict=True)]
    samples = [replace(words[0], samples=np.concatenate([each.samples for each in words[part]])) for part in parts]
    return samples, [" ".join(labels[part]) for part in parts]


def ragged(training):
    """Data whose rows differ in the number of what the loss is a mean of, else those of the training."""
    task = training.name.split()[0]
    if task in ("forecasting", "anomaly-detection"):
        (given,) = training.data(0)
        return ([with_gaps(each) for each in given],) if isinstance(given, list) else (with_gaps(given),)
    made = {"tagging": sentences, "translation": pairs, "speech-recognition": spoken}
    return made[task]() if task in made else training.data(0)


class Caught(Exception):  # noqa: N818  (it is not an error of the training)
    pass


@pytest.fixture
def job_of(monkeypatch):
    """A function: what the estimator of a training would train, with nothing random."""
    caught = []

    def catch(job, *_):
        caught.append(job)
        raise Caught

    monkeypatch.setattr(Job, "run", catch)
    monkeypatch.setattr(forecasts, "_UNKNOWN_SHARE", 0.0)

    def make(training, **given):
        known = {each.name for each in fields(training.estimator)}
        still = {name: value for name, value in STILL.items() if name in known}
        with pytest.raises(Caught):
            training.make(**still, batch_size=BATCH).fit(*ragged(training), **given)
        job = caught.pop()
        return replace(job, recipe=replace(job.recipe, clip=math.inf))

    return make


class OneOfTwo(OneProcess):
    """The strategy of one of two processes, in the place of the sums of both: those that are given."""

    size = 2

    def __init__(self, rank, sums):
        self.rank, self.sums = rank, sums

    def reduce(self, values):
        return self.sums


def trainer(job, strategy=None):
    """A trainer of copies, whose weights never change."""
    made = Trainer(
        deepcopy(job.module), deepcopy(job.objective), job.recipe, generator=np.random.default_rng(0), strategy=strategy
    )
    made.module.train()
    for group in made._optimizer.param_groups:
        group["lr"] = 0.0
    return made


def differences(job, most=6):
    """The largest difference of a weight's gradient between one process and two, of some batches; and their weights."""
    found = []
    sums = torch.zeros(2, dtype=torch.float64)
    whole, *parts = trainer(job), *(trainer(job, OneOfTwo(rank, sums)) for rank in range(2))
    weighing = [deepcopy(job.objective) for _ in parts]
    for batch in list(whole.objective.batches(np.random.default_rng(0)))[:most]:
        weights, losses = [], []
        for rank, objective in enumerate(weighing):
            part, counts = shard(batch, rank, 2)
            loss, weight = objective.loss(parts[rank].module, part)
            weights.append(weight * counts)
            losses.append(loss.item())
        sums[:] = torch.tensor([np.dot(losses, weights), sum(weights)], dtype=torch.float64)
        for each in (whole, *parts):
            each._descend(1, batch)
        one, *two = ({name: w.grad for name, w in each.module.named_parameters()} for each in (whole, *parts))
        largest = max(each.abs().max().item() for each in one.values() if each is not None)
        apart = max((sum(each[name] for each in two) / 2 - one[name]).abs().max().item() for name in one)
        assert sums[0] / sums[1] == pytest.approx(whole._progress.loss / whole._progress.weight, rel=1e-5)
        whole._progress.loss = whole._progress.weight = 0.0
        found.append((apart / largest, weights))
    return found


def assert_held_together(job):
    found = differences(job)
    assert any(weights[0] != weights[1] for _, weights in found)
    assert max(apart for apart, _ in found) < 1e-5  # float32, summed in another order


@pytest.mark.parametrize(
    "training",
    [pytest.param(each, id=each.name, marks=() if each.name in IN_SHORT else pytest.mark.slow) for each in TRAININGS],
)
def test_two_workers_have_the_gradient_of_one(training, job_of):
    assert_held_together(job_of(training))


WEIGHTED = ("text-classification", "tagging", "speech-recognition", "translation")


@pytest.mark.slow
@pytest.mark.parametrize("training", [each for each in TRAININGS if each.name in WEIGHTED], ids=lambda each: each.name)
def test_rows_with_weights_too(training, job_of):
    rows = len(ragged(training)[0])
    assert_held_together(job_of(training, sample_weight=np.random.default_rng(1).uniform(0.1, 2.0, rows)))


@pytest.mark.slow
def test_short_texts_too(job_of):
    texts, _ = pairs()
    language = next(each for each in TRAININGS if each.name == "language-model")
    pieces = replace(language, options=language.options | {"recipe": "adam"}, data=lambda _: (texts * 3,))
    job = job_of(pieces)
    assert type(job.objective) is PieceObjective
    assert_held_together(job)


def test_steps_with_labels_too():
    draw, lengths = np.random.default_rng(0), (4, 0, 7, 1, 3)
    values, offsets = draw.normal(size=(sum(lengths), 2)).astype(np.float32), np.cumsum([0, *lengths])
    sequences, targets = Sequences(values, offsets), Sequences(draw.integers(0, 3, len(values)), offsets)
    objective = StepClassObjective(
        sequences=sequences, targets=targets, valid_sequences=sequences, valid_targets=targets, batch_size=3,
        weights=torch.tensor([0.5, 1.0, 2.0]), sample_weights=np.array([0.5, 1.0, 1.5, 2.0, 0.1]),
        regularization=Regularization(output_dropout=0.0, label_smoothing=0.1, prefix_share=0.0),
        generator=torch.Generator().manual_seed(0),
    )  # fmt: skip
    torch.manual_seed(0)
    module = NetworkModule(Network(Numbers(2), Recurrent(cell="gru", input_size=2, hidden_size=4), StepClassHead(3)))
    recipe = Recipe(
        epochs=1, batch_size=3, learning_rate=0.1, weight_decay=0.0, warmup=0.0, clip=math.inf, average=0.0, patience=1
    )
    assert_held_together(Job(module=module, objective=objective, recipe=recipe, seed=0))


def test_a_batch_without_a_value_has_no_gradient(job_of):
    job = job_of(next(each for each in TRAININGS if each.name == "anomaly-detection"))
    job.objective.train.values[:] = [torch.full_like(each, torch.nan) for each in job.objective.train.values]
    batch = job.objective.batches(np.random.default_rng(0))[0]
    for made in (trainer(job), trainer(job, OneOfTwo(0, torch.zeros(2, dtype=torch.float64)))):
        made._descend(1, batch)
        assert made._progress.mean_loss == 0
        assert not any(each.grad.any() for each in made.module.parameters())
