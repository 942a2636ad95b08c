"""`report()` of estimators and loaded models: it writes the page where there is none, opens it, returns its path."""

import webbrowser

import pytest

import penstock
from penstock.errors import ConfigError, InputError


@pytest.fixture(autouse=True)
def opened(monkeypatch):
    """What the browser was asked to show."""
    shown = []
    monkeypatch.setattr(webbrowser, "open", shown.append)
    return shown


def test_an_estimator_writes_its_report_and_opens_it(fitted, opened, tmp_path):
    path = fitted.report()
    assert opened == [path.as_uri()]
    assert "Learning curves" in path.read_text(encoding="utf-8")
    asked = fitted.report(tmp_path / "here.html", language="zh", show=False)
    assert asked == tmp_path / "here.html"
    assert "学习曲线" in asked.read_text(encoding="utf-8")
    assert len(opened) == 1


def test_a_loaded_model_opens_the_report_beside_it(fitted, opened, tmp_path):
    folder = fitted.save(tmp_path / "sentiment", language="zh")
    assert penstock.load(folder).report() == folder / "report.html"
    assert opened == [(folder / "report.html").as_uri()]
    in_english = penstock.load(folder).report(language="en")
    assert in_english != folder / "report.html"
    page = in_english.read_text(encoding="utf-8")
    assert "<h1>sentiment: Text classifier</h1>" in page
    assert "学习曲线" in (folder / "report.html").read_text(encoding="utf-8")


def test_a_model_whose_report_is_gone_writes_another(fitted, tmp_path):
    model = penstock.load(fitted.save(tmp_path / "model"))
    (tmp_path / "model" / "report.html").unlink()
    path = model.report()
    assert path.parent != tmp_path / "model"  # a saved model is left as it is
    assert "Learning curves" in path.read_text(encoding="utf-8")


def test_what_has_no_report_says_why(fitted, tmp_path):
    model = penstock.load(fitted.save(tmp_path / "model"))
    (tmp_path / "model" / "report.html").unlink()
    model.metrics = {}
    with pytest.raises(ConfigError, match="this model has no metrics, so there is nothing to report"):
        model.report(show=False)
    with pytest.raises(InputError, match=r"none/report.html: can't be written: No such file"):
        fitted.report(tmp_path / "none" / "report.html")
    with pytest.raises(ConfigError, match="language must be one of en, zh; got 'fr'"):
        fitted.report(language="fr")


def test_everything_says_where_it_comes_from(fitted):
    found = fitted.metrics_
    assert found["made"]["versions"].keys() == {"penstock", "python", "numpy", "torch"}
    assert found["parameters"] == sum(array.size for array in fitted.model_.tensors.values())
    assert found["options"]["epochs"] == fitted.epochs
    assert "reset_after" not in found["options"]  # another cell's
    assert found["call"].startswith("TextClassifier(")
    assert "random_state=0" in found["call"]
    assert len(found["data"]["digest"]) == 64
