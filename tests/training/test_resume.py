"""A training that ended at any step, for any reason, goes on to the same bits as one that never ended."""

import copy

import numpy as np
import pytest
import torch

from penstock import locks
from penstock.errors import InputError, StateError
from penstock.forecast.examples import Examples
from penstock.forecast.module import CarriedModule
from penstock.forecast.objective import CarriedObjective
from penstock.forecast.spec import ForecastHead, Segments
from penstock.network import ClassHead, Embedding, Network, Recurrent
from penstock.nn import NetworkModule
from penstock.text.objective import TokenRegularization
from penstock.training import Checkpoint, Trainer
from penstock.training import checkpoint as checkpoint_file

pytestmark = pytest.mark.usefixtures("one_thread")

NOISY = TokenRegularization(
    word_dropout=0.2,
    embedding_dropout=0.2,
    output_dropout=0.2,
    label_smoothing=0.1,
    prefix_share=0.3,
    next_token_share=0.0,
)


class PowerCut(Exception):  # noqa: N818  (it is not an error of the training)
    pass


class CutAfter:
    """Ends the training after so many steps, as a power cut would."""

    def __init__(self, steps):
        self.left = steps

    def on_start(self, epochs):
        pass

    def on_step(self, epoch, step, steps, rows, loss):
        self.left -= 1
        if not self.left:
            raise PowerCut

    def on_epoch(self, epoch):
        pass

    def on_end(self, history):
        pass


@pytest.fixture
def text(make_module, make_objective):
    """A function that makes the module and the objective of a text classifier, with every kind of dropout."""
    return lambda seed=0: (make_module(seed), make_objective(NOISY))


@pytest.fixture(params=["gru", "lstm"])
def forecast(request):
    """The same of a network that carries its state from chunk to chunk, with dropout of PyTorch's own generator."""

    def make(seed=0):
        draw = torch.Generator().manual_seed(0)
        values = [torch.randn(steps, 1, generator=draw) for steps in (20, 12, 30)]
        rows = Examples(
            values,
            [torch.ones_like(each) for each in values],
            [torch.zeros(len(each), 0) for each in values],
            [torch.zeros(len(each) + 3, 0) for each in values],
            torch.tensor([1, 2, 3]),
            np.array([5, 5, 5]),
            np.array([17, 9, 27]),
        )
        recurrent = Recurrent(cell=request.param, input_size=4, hidden_size=4, num_layers=2)
        torch.manual_seed(seed)
        module = CarriedModule(Network(Segments(1, 2, 4, 3), recurrent, ForecastHead(3, 1, 3, 0)), dropout=0.3)
        return module, CarriedObjective(
            train=rows,
            valid=rows,
            quantiles=torch.tensor([0.1, 0.5, 0.9]),
            context=5,
            horizon=3,
            batch_size=4,
            steps=5,
            validation_origins=50,
            generator=torch.Generator().manual_seed(0),
            chunk=4,
        )

    return make


def trainer(parts, recipe, checkpoint=None, callbacks=(), seed=5):
    torch.manual_seed(seed)
    generator = np.random.default_rng(seed)
    return Trainer(*parts, recipe, generator=generator, callbacks=callbacks, checkpoint=checkpoint)


def assert_equal(found, expected):
    """The same weights, history and best epoch; only the time differs."""
    for name, tensor in expected.module.state_dict().items():
        assert torch.equal(tensor, found.module.state_dict()[name]), name
    timeless = [
        [{name: value for name, value in row.items() if name != "seconds"} for row in each.history.rows()]
        for each in (found, expected)
    ]
    assert timeless[0] == timeless[1]
    assert found.history.best_epoch == expected.history.best_epoch
    assert found.history.stopped == expected.history.stopped


@pytest.mark.parametrize("every_steps", [1, 3])
class TestAtAnyStep:
    """With 3, of five an epoch, cuts before the first file, after one, after an epoch's own, and after its file."""

    @pytest.mark.slow
    def test_a_text_classifier(self, tmp_path, text, make_recipe, every_steps):
        assert_resumable(tmp_path, text, make_recipe(epochs=2, average=0.8), every_steps)

    @pytest.mark.slow
    def test_a_network_with_zoneout(self, tmp_path, make_objective, make_recipe, every_steps):
        encoder = Recurrent(cell="lstm", input_size=6, hidden_size=5, zoneout=0.4)
        network = Network(Embedding(9, 6), encoder, ClassHead(2, "max"))

        def make(seed=0):
            with torch.random.fork_rng():
                torch.manual_seed(seed)
                return NetworkModule(network), make_objective(NOISY)

        assert_resumable(tmp_path, make, make_recipe(epochs=2), every_steps)

    @pytest.mark.slow
    def test_a_forecaster_that_carries_its_state(self, tmp_path, forecast, make_recipe, every_steps):
        assert_resumable(tmp_path, forecast, make_recipe(epochs=2), every_steps)


def assert_resumable(folder, make, recipe, every_steps):
    """Cut after its steps, five an epoch, the training resumes from what the checkpoint then holds."""
    whole = trainer(make(), recipe)
    whole.fit()
    for step in range(1, 11) if every_steps == 1 else (2, 4, 6, 9):
        kept = Checkpoint(folder / str(step), "a", every_steps=every_steps)
        with pytest.raises(PowerCut):
            trainer(make(), recipe, kept, [CutAfter(step)]).fit()
        assert kept.path.exists() == (step >= every_steps)
        if kept.path.exists():
            resumed = trainer(make(seed=9), recipe, kept, seed=77)
            resumed.fit()
            assert_equal(resumed, whole)


def test_two_trainings_on_one_checkpoint_are_refused(tmp_path, text, make_recipe):
    recipe, kept = make_recipe(epochs=1), Checkpoint(tmp_path / "state", "a")
    with kept.alone(), pytest.raises(InputError, match="another training uses this checkpoint now"):
        trainer(text(), recipe, Checkpoint(tmp_path / "state", "b")).fit()
    assert list(tmp_path.iterdir()) == []
    trainer(text(), recipe, Checkpoint(tmp_path / "state", "a", every_steps=5)).fit()
    assert [path.name for path in tmp_path.iterdir()] == ["state"]


def test_a_disk_that_fills_up_does_not_end_a_training(tmp_path, text, make_recipe, monkeypatch, caplog):
    recipe, kept = make_recipe(epochs=2), Checkpoint(tmp_path / "state", "a", every_steps=1)
    whole = trainer(text(), recipe)
    whole.fit()

    class Full(CutAfter):
        def on_step(self, *news):
            self.left -= 1
            if not self.left:
                monkeypatch.setattr(checkpoint_file.os, "fsync", no_space)

    def no_space(*_):
        raise OSError(28, "No space left on device")

    full = trainer(text(), recipe, kept, [Full(4)])
    full.fit()
    assert_equal(full, whole)
    said = [record.message for record in caplog.records if getattr(record, "event", "") == "checkpoint"]
    reason = "the checkpoint can't be written: No space left on device"
    assert said[0] == f"{kept.path}: {reason}. Training goes on without it."
    monkeypatch.undo()
    resumed = trainer(text(seed=9), recipe, kept, seed=77)  # from the last one that was written
    resumed.fit()
    assert_equal(resumed, whole)


def test_a_folder_that_is_read_only_is_said_before_training(tmp_path, text, make_recipe, monkeypatch):
    def read_only(*_):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(locks.os, "open", read_only)
    with pytest.raises(InputError, match=r"state: can't be locked by .*: Read-only file system"):
        trainer(text(), make_recipe(), Checkpoint(tmp_path / "state", "a"), [CutAfter(1)]).fit()


def test_a_training_cut_again_and_again_equals_uninterrupted(tmp_path, text, make_recipe):
    recipe, kept = make_recipe(epochs=3, average=0.8), Checkpoint(tmp_path / "state", "a", every_steps=2)
    whole = trainer(text(), recipe)
    whole.fit()
    for _ in range(4):
        with pytest.raises(PowerCut):
            trainer(text(), recipe, kept, [CutAfter(3)]).fit()
    resumed = trainer(text(), recipe, kept)
    resumed.fit()
    assert_equal(resumed, whole)


@pytest.mark.parametrize("step", [1, 5, 7])
def test_a_state_dict_of_a_callback_is_enough(text, make_recipe, step):
    recipe, states = make_recipe(epochs=2, average=0.8), []
    whole = trainer(text(), recipe)

    class Keep(CutAfter):
        def on_step(self, *news):
            self.left -= 1
            if not self.left:
                states.append(copy.deepcopy(whole.state_dict()))

    whole.callbacks = [Keep(step)]
    whole.fit()
    resumed = trainer(text(seed=9), recipe, seed=77)
    before = copy.deepcopy(states[0])
    resumed.load_state_dict(states[0])
    resumed.fit()
    assert_equal(resumed, whole)
    for name, tensor in before["module"].items():  # what was loaded is not trained on itself
        assert torch.equal(tensor, states[0]["module"][name])
    assert torch.equal(before["optimizer"]["0"]["exp_avg"], states[0]["optimizer"]["0"]["exp_avg"])


@pytest.mark.parametrize("patience", [1, 10])
def test_a_finished_training_is_not_trained_again(tmp_path, text, make_recipe, patience):
    recipe = make_recipe(epochs=6, patience=patience, learning_rate=0.3)
    kept = Checkpoint(tmp_path / "state", "a", every_seconds=0)
    whole = trainer(text(), recipe, kept)
    whole.fit()
    for resumed in (trainer(text(seed=9), recipe, kept, [CutAfter(1)]), trainer(text(seed=9), recipe)):
        if resumed.checkpoint is None:
            resumed.load_state_dict(whole.state_dict())
        resumed.fit()
        assert_equal(resumed, whole)


def test_the_time_of_all_parts_counts(tmp_path, text, make_recipe):
    kept = Checkpoint(tmp_path / "state", "a", every_steps=1)
    with pytest.raises(PowerCut):
        trainer(text(), make_recipe(epochs=2), kept, [CutAfter(3)]).fit()
    state = kept.read()
    state["progress"]["seconds"] = 100.0
    kept.write(state)
    history = trainer(text(), make_recipe(epochs=2), kept).fit()
    assert 100 < history.epochs[0].seconds < 200
    assert history.epochs[1].seconds < 100
    assert 100 < history.seconds < 200


def test_other_data_is_refused(text, make_recipe, make_module, make_objective):
    states, whole = [], trainer(text(), make_recipe(epochs=1))

    class Keep(CutAfter):
        def on_step(self, *news):
            states.append(whole.state_dict())

    whole.callbacks = [Keep(0)]
    whole.fit()
    with pytest.raises(StateError, match="position must be from 0 to 2"):
        trainer((make_module(), make_objective(batch_size=20)), make_recipe(epochs=1)).load_state_dict(states[-1])


@pytest.mark.parametrize("limits", [(3.5,), (0.5, 3.5, 3.5, 12.0), (7.0,), (8.0,)], ids=str)
@pytest.mark.parametrize("average", [0.0, 0.8])
@pytest.mark.parametrize("kept", [True, pytest.param(False, marks=pytest.mark.slow)], ids=["checkpoint", "object"])
def test_with_a_higher_time_limit_it_continues_as_if_it_had_never_stopped(
    tmp_path, text, make_recipe, slow, limits, average, kept
):
    def begin(checkpoint=None):
        module, objective = text()
        return trainer((module, slow(objective)), make_recipe(epochs=3, average=average), checkpoint)

    whole = begin()
    whole.fit()
    resumed = begin()
    for limit in (*limits, None):
        if kept:
            resumed = begin(Checkpoint(tmp_path / "state", "a", every_seconds=0))
        resumed.recipe = make_recipe(epochs=3, average=average, max_seconds=limit)
        resumed.fit()
        assert resumed.history.stopped == ("finished" if limit is None else "time")
    assert_equal(resumed, whole)


def test_the_same_time_limit_again_gives_the_same_model(tmp_path, text, make_recipe, slow):
    found = []
    for _ in range(2):
        module, objective = text()
        kept = Checkpoint(tmp_path / "state", "a", every_seconds=0)
        found.append(trainer((module, slow(objective)), make_recipe(max_seconds=8.5), kept))
        assert found[-1].fit().stopped == "time"
    assert_equal(*found)
