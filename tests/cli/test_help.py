"""The help of a training: what most people need, and with `--help-all` everything, in panels."""

from dataclasses import dataclass, replace

import pytest

from penstock import TextClassifier
from penstock.cli.train_task import task_command
from penstock.tasks import TASKS

PANELS = ["Data", "Network", "Training", "Output"]
RARE = ["--encoding", "--weight-decay", "--peephole", "--checkpoint"]


def panels(text):
    return [line.removesuffix(":") for line in text.splitlines() if line[:1].isalpha() and line.endswith(":")]


@pytest.mark.parametrize("task", TASKS.values(), ids=lambda task: task.name)
def test_the_help_is_short_and_all_of_it_is_there_on_request(penstock, task):
    words = ["train", task.command, *task.example.split()]
    short, whole = penstock(*words, "--help"), penstock(*words, "--help-all")
    assert (short.code, whole.code) == (0, 0)
    assert panels(short.out) == panels(whole.out) == PANELS
    assert len(short.out.splitlines()) < 95
    assert set(short.out.split()) < set(whole.out.split())
    for option in (f"--{task.columns[0].name}", "--epochs", "--max-seconds", "--out"):
        assert option in short.out.split()
    for option in RARE:
        assert option not in short.out.split()
        assert option in whole.out.split()
    assert "--help-all" in short.out
    assert whole.said == ""


def test_options_of_a_task_of_your_own_are_listed():
    @dataclass(kw_only=True, eq=False, repr=False)
    class Mine(TextClassifier):
        """Args:
        flavour: a new option.
        """

        flavour: int = 3
        hidden_size: int = 8

    found = task_command(replace(TASKS["text-classification"], estimator=Mine))
    everyday = {option.name: option.everyday for option in found.params if hasattr(option, "everyday")}
    assert everyday["flavour"]
    assert everyday["hidden_size"]
    assert not everyday["word_dropout"]


def test_help_all_is_not_an_option_of_a_configuration(penstock, tmp_path):
    (tmp_path / "train.toml").write_text('task = "classify"\nhelp-all = true\n')
    result = penstock("train", "--config", tmp_path / "train.toml", "--out", tmp_path / "m")
    assert result.code == 2
    assert "there is no option help-all" in result.err
