"""Predictions that two processes share: the rows of one, also if one of them is killed."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import pytest
from small_jobs import WORDS, FragileModel, model

from penstock.distributed import parcels, prediction, predictor, processes
from penstock.distributed.prediction import answers
from penstock.errors import ConfigError, DataError, WorkerError

SEVERAL = [[f"{word} w1", word] for word in WORDS[:9]]


def rows(several):
    return [list(model().answers(texts)) for texts in several]


@pytest.mark.slow
def test_two_processes_have_the_rows_of_one_also_if_one_is_killed(tmp_path):
    fragile = FragileModel(model(), {"w3": tmp_path / "killed"})
    assert list(answers(fragile, SEVERAL, {}, 2)) == rows(SEVERAL)
    assert (tmp_path / "killed").exists()


class Dead:
    """A process that was killed."""

    def __init__(self, *_):
        pass

    def answer(self, inputs):
        raise EOFError

    def lost(self):
        return "a worker was ended by SIGKILL"


def test_after_too_many_losses_the_prediction_ends(monkeypatch):
    monkeypatch.setattr(processes, "_Process", Dead)
    with pytest.raises(WorkerError, match="ended by SIGKILL, and 3 times before"):
        list(answers(model(), SEVERAL[:1], {}, 1))


@contextmanager
def here(content, workers):
    """Predicts in this process."""
    with ThreadPoolExecutor(1) as threads:
        yield partial(threads.submit, predictor.Predictor(content, 1))


def test_an_error_comes_in_its_turn(monkeypatch):
    monkeypatch.setattr(prediction, "predictors_here", here)

    def read():
        yield from SEVERAL[:2]
        raise DataError("b.csv: row 7")

    found = answers(model(), read(), {}, 4)
    assert [next(found), next(found)] == rows(SEVERAL[:2])
    with pytest.raises(DataError, match=r"b\.csv: row 7"):
        next(found)
    with pytest.raises(DataError, match="text"):
        list(answers(model(), [[3]], {}, 1))
    with pytest.raises(TypeError, match="nothing"):
        list(answers(model(), SEVERAL, {"nothing": 1}, 1))


def test_another_version_is_refused(monkeypatch):
    with monkeypatch.context() as older:
        older.setattr(parcels, "__version__", "0.0")
        content = parcels.packed(model(), {})
    error = pickle.loads(predictor.Predictor(content, 1)(pickle.dumps(WORDS)))  # noqa: S301  (made here)
    assert isinstance(error, ConfigError)
    assert "it needs 0.0, as here" in str(error)
