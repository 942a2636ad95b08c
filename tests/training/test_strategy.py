"""A training that two processes share: the losses of one process on the whole batches, and resumed as one is.

The strategy is written here, as somebody would write it who spreads a training with PyTorch's own means.
"""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel

from penstock.forecast.examples import Examples
from penstock.forecast.module import CarriedModule
from penstock.forecast.objective import CarriedObjective
from penstock.forecast.spec import ForecastHead, Segments
from penstock.network import ClassHead, Embedding, Network, Recurrent
from penstock.nn import NetworkModule
from penstock.sequences import Sequences
from penstock.text.objective import TokenObjective, TokenRegularization
from penstock.training import Checkpoint, OneProcess, Recipe, Trainer, random_scope

PROCESSES = 2
RECIPE = Recipe(
    epochs=3, batch_size=13, learning_rate=0.02, weight_decay=0.01, warmup=0.1, clip=1.0, average=0.8, patience=9
)


class Distributed:
    """DistributedDataParallel; each process has a checkpoint of its own, and all write theirs at the same step."""

    def __init__(self):
        self.rank, self.size = distributed.get_rank(), distributed.get_world_size()

    def prepare(self, loss):
        return DistributedDataParallel(loss)

    def reduce(self, values):
        total = values.clone()
        distributed.all_reduce(total)
        return total

    def save(self, checkpoint, state):
        self._own(checkpoint).write(state)
        distributed.barrier()

    def load(self, checkpoint):
        return self._own(checkpoint).read()

    def _own(self, checkpoint):
        return Checkpoint(f"{checkpoint.path}.{self.rank}", checkpoint.key)


def text(rank):
    """The tests' small classifier: 40 sequences in batches of 13, so that one batch has a single row."""
    draw = np.random.default_rng(0)
    ids = [draw.integers(1, 9, draw.integers(1, 7)) for _ in range(60)]
    targets = np.array([int(each.max() > 6) for each in ids])
    known = Sequences.from_list(ids[:40], np.int32)
    shares = ("word_dropout", "embedding_dropout", "output_dropout", "label_smoothing", "prefix_share")
    objective = TokenObjective(
        sequences=Sequences(np.stack([known.values, known.values], axis=1), known.offsets),
        targets=targets[:40],
        valid_sequences=Sequences.from_list(ids[40:], np.int32),
        valid_targets=targets[40:],
        weights=torch.tensor([1.0, 2.0]),
        batch_size=13,
        regularization=TokenRegularization(**dict.fromkeys(shares, 0.0), next_token_share=0.0),
        generator=torch.Generator().manual_seed(rank),
    )
    recurrent = Recurrent(cell="gru", input_size=6, hidden_size=5)
    return NetworkModule(Network(Embedding(9, 6), recurrent, ClassHead(2, "max"))), objective


def forecast(rank):
    """Five streams whose state is carried from chunk to chunk, with dropout that differs between processes."""
    draw = torch.Generator().manual_seed(0)
    values = [torch.randn(steps, 1, generator=draw) for steps in (20, 12, 30)]
    past, ahead = ([torch.zeros(len(each) + more, 0) for each in values] for more in (0, 3))
    ones = [torch.ones_like(each) for each in values]
    known = torch.tensor([1, 2, 3])
    rows = Examples(values, ones, past, ahead, known, np.array([5, 5, 5]), np.array([17, 9, 27]))
    objective = CarriedObjective(
        train=rows,
        valid=rows,
        quantiles=torch.tensor([0.1, 0.5, 0.9]),
        context=5,
        horizon=3,
        batch_size=5,
        steps=4,
        validation_origins=50,
        generator=torch.Generator().manual_seed(rank),
        chunk=4,
    )
    recurrent = Recurrent(cell="lstm", input_size=4, hidden_size=4)
    return CarriedModule(Network(Segments(1, 2, 4, 3), recurrent, ForecastHead(3, 1, 3, 0)), dropout=0.3), objective


class Watched:
    """Notes the mean loss after each step; `cut` ends the training after so many, as a power cut would."""

    def __init__(self, cut=None):
        self.losses, self.cut = [], cut

    def on_step(self, epoch, step, steps, rows, loss):
        self.losses.append((rows, loss))
        if len(self.losses) == self.cut:
            raise RuntimeError("power cut")

    def on_start(self, *_):
        pass

    on_epoch = on_end = on_start


def train(make, strategy, path=None, cut=None):
    """The losses after each step, the validation's figures and the weights, all plain."""
    watched = Watched(cut)
    with random_scope(0):
        module, objective = make(strategy.rank)
        torch.manual_seed(strategy.rank)  # for PyTorch's own dropout
        trainer = Trainer(
            module,
            objective,
            RECIPE,
            generator=np.random.default_rng(5),
            callbacks=[watched],
            strategy=strategy,
            checkpoint=None if path is None else Checkpoint(path, "a", every_steps=1),
        )
        if cut is None:
            history = trainer.fit()
        else:
            with pytest.raises(RuntimeError, match="power cut"):
                trainer.fit()
            history = trainer.history
    valid = [dict(epoch.valid) for epoch in history.epochs]
    weights = {name: tensor.tolist() for name, tensor in module.state_dict().items()}
    return {"losses": watched.losses, "valid": valid, "weights": weights}


def work(rank, folder):
    """What one of the processes does."""
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    distributed.init_process_group("gloo", f"file://{folder}/meeting", rank=rank, world_size=PROCESSES)
    found = {
        "text": train(text, Distributed()),
        "whole": train(forecast, Distributed()),
        "cut": train(forecast, Distributed(), f"{folder}/state", cut=7),
        "resumed": train(forecast, Distributed(), f"{folder}/state"),
    }
    Path(folder, f"found.{rank}").write_text(json.dumps(found))
    distributed.destroy_process_group()


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What each process found."""
    folder = tmp_path_factory.mktemp("processes")
    torch.multiprocessing.spawn(work, (str(folder),), nprocs=PROCESSES)
    return [json.loads(Path(folder, f"found.{rank}").read_text()) for rank in range(PROCESSES)]


@pytest.mark.slow
def test_two_processes_have_the_losses_of_one(found):
    expected = train(text, OneProcess())
    assert [rows for rows, _ in expected["losses"]].count(1) == 3  # one of the two then has no row of its own
    for each in found:
        np.testing.assert_allclose(each["text"]["losses"], expected["losses"], rtol=1e-4)  # float32, other sums
        for ours, one in zip(each["text"]["valid"], expected["valid"], strict=True):
            assert ours == pytest.approx(one, rel=1e-4)


@pytest.mark.parametrize("what", ["text", "whole", "resumed"])
@pytest.mark.slow
def test_all_processes_end_with_the_same_weights(found, what):
    assert found[0][what] == found[1][what]


@pytest.mark.slow
def test_resumed_in_two_processes_equals_uninterrupted(found):
    for each in found:
        assert each["cut"]["losses"] == each["whole"]["losses"][:7]
        assert each["resumed"]["losses"] == each["whole"]["losses"][7:]
        assert each["resumed"]["weights"] == each["whole"]["weights"]
        assert each["resumed"]["valid"] == each["whole"]["valid"]
