"""What follows a training: lines of JSON always, and three libraries, tried where they are installed."""

import json
import os
import sys
from types import ModuleType, SimpleNamespace

import pytest

from penstock.errors import MissingExtraError
from penstock.training import TRACKERS, Epoch, EpochLines, History, track

EPOCHS = [Epoch(number, 1.0 / number, {"loss": 0.5, "accuracy": float("nan")}, 0.1, 2.0) for number in (1, 2, 3)]
NUMBERS = {"train_loss": 0.5, "valid_loss": 0.5, "learning_rate": 0.1, "seconds": 2.0}
OPTIONS = {"epochs": 3, "clip": float("inf"), "quantiles": [0.1, 0.5]}


def follow(callback, epochs):
    callback.on_start(3)
    for epoch in epochs:
        callback.on_step(epoch.epoch, 1, 1, 8, 0.5)
        callback.on_epoch(epoch)
    callback.on_end(History(list(epochs)))


def test_each_epoch_is_a_line_at_once(tmp_path):
    lines = EpochLines(tmp_path / "epochs.jsonl")
    lines.on_start(3)
    assert not lines.path.exists()
    for count, epoch in enumerate(EPOCHS, start=1):
        lines.on_epoch(epoch)
        found = [json.loads(line) for line in lines.path.read_text().splitlines()]
        assert found == [each.row() | {"valid_accuracy": None} for each in EPOCHS[:count]]


def test_a_resumed_training_goes_on_with_the_lines_before_it(tmp_path):
    path = tmp_path / "epochs.jsonl"
    follow(EpochLines(path), EPOCHS)
    path.write_text(path.read_text() + '{"epoch": 1, "cut')
    follow(EpochLines(path), EPOCHS[1:2])
    assert [json.loads(line)["epoch"] for line in path.read_text().splitlines()] == [1, 2]


def test_lines_that_cannot_be_written_do_not_end_a_training(tmp_path, caplog):
    follow(EpochLines(tmp_path / "none" / "epochs.jsonl"), EPOCHS)
    assert caplog.messages[0].endswith("epochs.jsonl: can't be written: No such file or directory")


@pytest.mark.parametrize(
    ("kind", "module"), [("tensorboard", "torch.utils.tensorboard"), ("mlflow", "mlflow"), ("wandb", "wandb")]
)
def test_a_library_that_is_not_installed_is_named_with_its_extra(tmp_path, monkeypatch, kind, module):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=rf"pip install 'penstock\[{kind}\]'"):
        track(kind, tmp_path, "run", {})


class Called:
    """Stands for the libraries: methods with the arguments that their documentation names, which note their calls."""

    def __init__(self):
        self.calls = []

    # torch.utils.tensorboard.SummaryWriter
    def SummaryWriter(self, log_dir=None, comment="", purge_step=None, max_queue=10, flush_secs=120):  # noqa: N802
        self.calls.append(("writer", log_dir))
        return self

    def add_text(self, tag, text_string, global_step=None, walltime=None):
        self.calls.append((tag, text_string))

    def add_scalar(self, tag, scalar_value, global_step=None, walltime=None, new_style=False):
        self.calls.append((tag, scalar_value, global_step))

    def flush(self):
        self.calls.append("flush")

    def close(self):
        self.calls.append("end")

    # mlflow.MlflowClient
    def MlflowClient(self, tracking_uri=None, registry_uri=None):  # noqa: N802
        self.calls.append(("client", tracking_uri))
        return self

    def get_experiment_by_name(self, name):
        return None

    def create_experiment(self, name, artifact_location=None, tags=None):
        return "1"

    def create_run(self, experiment_id, start_time=None, tags=None, run_name=None):
        assert experiment_id == "1"
        self.calls.append(("run", run_name))
        return SimpleNamespace(info=SimpleNamespace(run_id="r"))

    def log_param(self, run_id, key, value, synchronous=None):
        self.calls.append((key, value))

    def log_metric(self, run_id, key, value, timestamp=None, step=None):
        self.calls.append((key, value, step))

    def set_terminated(self, run_id, status=None, end_time=None):
        assert status == "FINISHED"
        self.calls.append("end")

    # wandb
    def init(self, *, project=None, dir=None, name=None, config=None, mode=None):
        self.calls.append(("run", project, dir, name, mode))
        return self

    def log(self, data, step=None, commit=None):
        self.calls += [(name, value, step) for name, value in data.items()]

    def finish(self, exit_code=None, quiet=None):
        assert exit_code == 0
        self.calls.append("end")


@pytest.mark.parametrize("kind", TRACKERS)
def test_each_library_gets_the_finite_numbers_of_each_epoch(tmp_path, monkeypatch, kind):
    library = Called()
    variables = {"WANDB_SILENT": "false"}
    monkeypatch.setattr(os, "environ", variables)
    for module in ("torch.utils.tensorboard", "mlflow", "wandb"):
        fake = ModuleType(module)
        for name in ("SummaryWriter", "MlflowClient", "init"):
            setattr(fake, name, getattr(library, name))
        monkeypatch.setitem(sys.modules, module, fake)
    follow(track(kind, tmp_path, "first", OPTIONS), EPOCHS)
    assert [call for call in library.calls if len(call) == 3 and call[2] == 2] == [
        (*each, 2) for each in NUMBERS.items()
    ]
    assert library.calls[-1] == "end"
    begun = {
        "tensorboard": ("writer", str(tmp_path / "runs" / "first")),
        "mlflow": ("client", f"sqlite:///{tmp_path / 'mlflow.db'}"),
        "wandb": ("run", "penstock", str(tmp_path), "first", "offline"),
    }
    assert library.calls[0] == begun[kind]
    added = {
        "tensorboard": {},
        "mlflow": {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_LOGGING_LEVEL": "WARNING"},
        "wandb": {"WANDB_ERROR_REPORTING": "false"},
    }
    assert variables == {"WANDB_SILENT": "false"} | added[kind]  # what you have set is kept


def from_tensorboard(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder / "runs" / "first")).Reload()
    return {name: [(each.step, each.value) for each in events.Scalars(name)] for name in events.Tags()["scalars"]}


def from_mlflow(folder):
    import mlflow

    client = mlflow.MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")
    (run,) = client.search_runs([client.get_experiment_by_name("penstock").experiment_id])
    assert (run.info.run_name, run.info.status) == ("first", "FINISHED")
    assert run.data.params == {"epochs": "3", "clip": "None", "quantiles": "[0.1, 0.5]"}
    histories = {name: client.get_metric_history(run.info.run_id, name) for name in run.data.metrics}
    return {name: [(each.step, each.value) for each in history] for name, history in histories.items()}


READERS = {"tensorboard": from_tensorboard, "mlflow": from_mlflow}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # what these libraries warn about is theirs
@pytest.mark.parametrize("kind", READERS)
def test_what_the_library_itself_has_written_is_read_back(tmp_path, capfd, kind):
    pytest.importorskip(kind, reason=f"install penstock[{kind}] to try it", exc_type=ImportError)
    follow(track(kind, tmp_path, "first", OPTIONS), EPOCHS)
    assert capfd.readouterr().err == ""
    assert READERS[kind](tmp_path) == {
        name: [(epoch.epoch, pytest.approx(epoch.row()[name])) for epoch in EPOCHS] for name in NUMBERS
    }


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_wandb_itself_writes_its_file(tmp_path):
    pytest.importorskip("wandb", reason="install penstock[wandb] to try it", exc_type=ImportError)
    follow(track("wandb", tmp_path, "first", OPTIONS), EPOCHS)
    assert len(list(tmp_path.glob("wandb/offline-run*/*.wandb"))) == 1
