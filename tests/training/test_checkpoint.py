"""A training that ended early goes on from its file, to the same bits as one that never ended."""

import numpy as np
import pytest
import torch

from penstock.errors import BundleError
from penstock.training import Checkpoint, TokenRegularization, train

NOISY = TokenRegularization(
    word_dropout=0.2,
    embedding_dropout=0.2,
    output_dropout=0.2,
    label_smoothing=0.1,
    prefix_share=0.3,
    next_token_share=0.0,
)


class StopAfter:
    """Ends the training, as a power cut would."""

    def __init__(self, epochs):
        self.epochs = epochs

    def on_start(self, epochs):
        pass

    def on_step(self, epoch, step, steps, rows, loss):
        if epoch == self.epochs + 1 and step == 2:
            raise RuntimeError("power cut")

    def on_epoch(self, epoch):
        pass

    def on_end(self, history):
        pass


def run(module, objective, recipe, path=None, key="a", callbacks=()):
    checkpoint = None if path is None else Checkpoint(path, key, (objective.generator,))
    generator = np.random.default_rng(5)
    return train(module, objective, recipe, generator=generator, callbacks=callbacks, checkpoint=checkpoint)


def test_resumed_equals_uninterrupted(tmp_path, make_module, make_objective, make_recipe):
    recipe, path = make_recipe(epochs=5, average=0.8), tmp_path / "state.safetensors"
    whole = make_module()
    expected = run(whole, make_objective(NOISY), recipe)
    with pytest.raises(RuntimeError, match="power cut"):
        run(make_module(), make_objective(NOISY), recipe, path, callbacks=[StopAfter(2)])
    resumed = make_module(seed=9)
    history = run(resumed, make_objective(NOISY, seed=0), recipe, path)
    assert [row["train_loss"] for row in history.rows()] == [row["train_loss"] for row in expected.rows()]
    assert history.best_epoch == expected.best_epoch
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name]), name
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_finished_training_is_not_trained_again(tmp_path, make_module, make_objective, make_recipe):
    path = tmp_path / "state.safetensors"
    first, second = make_module(), make_module()
    run(first, make_objective(), make_recipe(), path)
    history = run(second, make_objective(), make_recipe(), path)
    assert len(history.epochs) == 4
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_another_training_is_refused(tmp_path, make_module, make_objective, make_recipe):
    path = tmp_path / "state.safetensors"
    run(make_module(), make_objective(), make_recipe(epochs=1), path)
    with pytest.raises(BundleError, match="other settings or data"):
        run(make_module(), make_objective(), make_recipe(epochs=1), path, key="b")


def test_a_damaged_file_is_refused(tmp_path, make_module, make_objective, make_recipe):
    path = tmp_path / "state.safetensors"
    path.write_bytes(b"\x00" * 40)
    with pytest.raises(BundleError, match="can't be read as a checkpoint"):
        run(make_module(), make_objective(), make_recipe(), path)
