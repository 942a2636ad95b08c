"""Scores with their intervals, in as few characters as say something."""

import pytest

from penstock.cli.scores import say_verdict, with_interval


@pytest.mark.parametrize(
    ("ends", "shown"),
    [
        ([0.58961, 0.68612], "[0.590, 0.686]"),
        ([-0.0412, 1.0], "[-0.041, 1.000]"),
        ([13.178, 298.045], "[13.18, 298.0]"),
        ([1069.692, 123456.7], "[1070, 123457]"),
        ([0.0, 0.00012], "[0.000, 1.20e-04]"),
        ([1.5e7, 2e7], "[1.50e+07, 2.00e+07]"),
    ],
)
def test_an_interval_is_short(ends, shown):
    assert with_interval(0.5, ends) == f"0.5000 {shown}"
    assert with_interval(0.5, None) == "0.5000"


def test_verdicts_are_joined_and_little_data_is_reported(capsys):
    say_verdict({"accuracy": "better", "log_loss": "no clear difference", "f1_macro": "better"}, "TF-IDF", 29)
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("Beside “TF-IDF” – better: accuracy, macro F1; no clear difference: log loss.")
    assert "only 29" in told[1]
    say_verdict({}, "", 30)
    assert capsys.readouterr().out == ""
