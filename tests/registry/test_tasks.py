"""The table of tasks."""

import inspect
from dataclasses import fields, replace

import pytest
from sklearn.base import BaseEstimator, clone

import penstock
from penstock import tasks
from penstock.cli.options import argument_texts
from penstock.errors import ConfigError
from penstock.runtime import Model


@pytest.mark.parametrize("name", tasks.TASKS)
def test_every_task_is_whole(name):
    task = tasks.find(name)
    assert task.name == name
    assert task.summary.endswith(".")
    assert "--out" in task.example
    estimator, model = task.estimator_class(), task.model_class()
    assert issubclass(estimator, BaseEstimator)
    assert issubclass(model, Model)
    assert estimator.task == model.task == name


@pytest.mark.parametrize("name", tasks.TASKS)
def test_every_option_is_described_and_typed(name):
    estimator = tasks.find(name).estimator_class()
    texts = {}
    for each in reversed(estimator.__mro__):
        texts |= argument_texts(each.__doc__ or "")
    for option, parameter in list(inspect.signature(estimator.__init__).parameters.items())[1:]:
        assert texts.get(option), option
        assert parameter.annotation is not inspect.Parameter.empty, option
        assert parameter.default is not inspect.Parameter.empty, option


@pytest.mark.parametrize("name", tasks.TASKS)
def test_every_estimator_only_stores_and_clones(name):
    estimator = tasks.find(name).estimator_class()()
    assert vars(estimator).keys() == estimator.get_params().keys() == {field.name for field in fields(estimator)}
    assert clone(estimator.set_params(random_state=5)).get_params() == estimator.get_params()


def test_unknown_tasks_are_named_with_those_there_are():
    with pytest.raises(ConfigError, match="no task 'clasify'; known tasks: text-classification"):
        tasks.find("clasify")


def test_a_name_is_taken_once():
    task = tasks.find("text-classification")
    tasks.register(task)  # the same once more changes nothing
    other = replace(task, summary="Another.")
    with pytest.raises(ConfigError, match="'text-classification' is already registered"):
        tasks.register(other)


def test_estimators_are_lazy_names_of_the_package():
    assert tasks.TextClassifier is penstock.TextClassifier is tasks.find("text-classification").estimator_class()
    with pytest.raises(AttributeError, match="no attribute 'TextClasifier'"):
        _ = tasks.TextClasifier


def test_an_estimator_and_a_model_may_be_given_as_classes():
    task = replace(tasks.find("text-classification"), name="other", estimator=dict, model=list)
    assert (task.estimator_class(), task.model_class()) == (dict, list)
