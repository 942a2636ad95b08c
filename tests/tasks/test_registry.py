"""The table of tasks."""

import inspect

import pytest
from sklearn.base import BaseEstimator

from penstock import tasks
from penstock.errors import ConfigError


@pytest.mark.parametrize("name", tasks.TASKS)
def test_every_task_is_whole(name):
    task = tasks.find(name)
    assert task.name == name
    assert task.summary.endswith(".")
    assert issubclass(task.estimator, BaseEstimator)
    for part in (task.read, task.network, task.loss, task.metrics, task.baseline, task.report):
        assert callable(part)


@pytest.mark.parametrize("name", tasks.TASKS)
def test_every_argument_is_documented_and_typed(name):
    estimator = tasks.find(name).estimator
    for argument, parameter in list(inspect.signature(estimator.__init__).parameters.items())[1:]:
        assert f"\n        {argument}: " in estimator.__doc__, argument
        assert parameter.annotation is not inspect.Parameter.empty, argument
        assert parameter.default is not inspect.Parameter.empty, argument


def test_unknown_tasks_are_named_with_those_there_are():
    with pytest.raises(ConfigError, match="no task 'clasify'; there are: classify"):
        tasks.find("clasify")
