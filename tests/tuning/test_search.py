"""A search: its first trial, what it sees, how it resumes, what it refuses; the trainings are formulas."""

import json
import re
import sqlite3

import pytest
from quick_estimator import Quick

from penstock.errors import ConfigError, InputError, NotFittedError, PenstockError
from penstock.tuning import Between, Search
from penstock.tuning.job import Data, Job, Outcome
from penstock.tuning.study import open_study
from penstock.tuning.workers import run_in_processes

DATA = (["one", "two"], ["x", "y"])


@pytest.fixture(scope="module")
def search():
    """A search with test data, in which some trials are pruned and some fail, and what its trainings saw of it."""
    Quick.seen.clear()
    found = Search(Quick(fails_below=0.39), trials=12).fit(*DATA, test_data=DATA)
    found.seen = list(Quick.seen)
    return found


@pytest.fixture(autouse=True)
def nothing_seen(search):
    Quick.seen.clear()
    yield
    Quick.interrupted.clear()


@pytest.fixture
def storage(tmp_path):
    return f"sqlite:///{tmp_path / 'search.db'}"


def outline(search):
    """What a search tried and found, without times."""
    return [(each["number"], each["state"], each["params"], each["value"], each["epochs"]) for each in search.trials_]


def test_it_begins_with_the_defaults_and_ends_with_the_best(search):
    assert search.trials_[0]["params"] == {"rate": 0.4, "kind": "a"}
    values = {each["number"]: each["value"] for each in search.trials_ if each["state"] == "complete"}
    assert values[0] == pytest.approx(0.6)
    assert search.best_score_ == max(values.values()) == values[search.best_trial_] > values[0]
    assert search.best_estimator_.get_params().items() >= search.best_params_.items()
    assert search.record_["value"] == search.record_["scores"]["best"]["metrics"]["accuracy"]
    assert search.record_["default_value"] == values[0]
    assert search.default_estimator_.rate == 0.4
    assert sum(search.record_["importance"].values()) == pytest.approx(1)


def test_only_the_best_and_the_defaults_see_the_test_data(search):
    assert search.seen == [None] * 12 + [DATA] * 2


def test_trials_below_the_median_are_pruned(search):
    pruned = [each for each in search.trials_ if each["state"] == "pruned"]
    assert search.record_["states"]["pruned"] == len(pruned) > 0
    assert all(len(each["epochs"]) == 2 and each["value"] is None for each in pruned)


def test_a_trial_that_fails_is_recorded_with_its_reason(search):
    failed = [each for each in search.trials_ if each["state"] == "failed"]
    assert search.record_["states"]["failed"] == len(failed) > 0
    assert all(re.match(r"DivergedError: training diverged with 0\.[0-3]", each["failure"]) for each in failed)


@pytest.mark.slow
def test_a_resumed_search_is_the_uninterrupted_one_and_another_is_refused(storage):
    whole = Search(Quick(), trials=3).fit(*DATA)
    Quick.interrupted.add(len(Quick.seen) + 2)
    search = Search(Quick(), trials=2, storage=storage)
    with pytest.raises(KeyboardInterrupt):
        search.fit(*DATA)
    assert search.study_.trials[1].state.name == "RUNNING"
    assert outline(search.fit(*DATA)) == outline(whole)[:2]
    more = Search(Quick(), trials=3, storage=storage).fit(*DATA)
    assert outline(more) == outline(whole)
    for estimator, data, what in [
        (Quick(), (["one", "three"], DATA[1]), "data"),
        (Quick(fails_below=0.1), DATA, "options"),
    ]:
        with pytest.raises(ConfigError, match=f"the study 'penstock' differs from this search in its {what}"):
            Search(estimator, storage=storage).fit(*data)


def test_a_search_without_a_success_is_an_error():
    with pytest.raises(PenstockError, match=r"no trial of 2 succeeded. The first failure: DivergedError: .* 0.40"):
        Search(Quick(fails_below=2.0), trials=2).fit(*DATA)


@pytest.mark.slow
def test_defaults_that_are_refused_end_the_search_and_leave_nothing(storage, tmp_path):
    space = {"rate": Between(0.5, 1.0)}
    with pytest.raises(InputError, match="kind must be a or b; got 'c'"):
        Search(Quick(kind="c"), space=space, storage=storage).fit(*DATA)
    with sqlite3.connect(tmp_path / "search.db") as found:
        assert found.execute("select count(*) from studies").fetchone() == (0,)
    found.close()


def test_a_damaged_storage_is_refused(storage, tmp_path):
    open_study(storage, "search", {"metric": "loss"})
    path = tmp_path / "search.db"
    with sqlite3.connect(path) as found:
        (page,) = found.execute("select rootpage from sqlite_master where name = 'studies'").fetchone()
        (size,) = found.execute("pragma page_size").fetchone()
    found.close()
    data = bytearray(path.read_bytes())
    data[(page - 1) * size : page * size] = b"\xff" * size
    path.write_bytes(data)
    with pytest.raises(ConfigError, match=r"'search' can't be read from its storage: .*disk image is malformed"):
        open_study(storage, "search", {"metric": "loss"})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"trials": 0}, "trials must be a whole number, at least 1"),
        ({"workers": 0}, "workers must be a whole number, at least 1"),
        ({"metric": "f2"}, "metric must be one of loss, accuracy, threads; got 'f2'"),
        ({"space": {"rat": [1]}}, "the space has 'rat', which can't be searched; usually searched: rate, kind"),
        ({"space": {"random_state": [1]}}, "the space has 'random_state', which can't be searched"),
        ({"space": {"kind": "ab"}}, "the range of kind must be a Between or a list of values; got 'ab'"),
        ({"space": {}}, "the space has no option to search"),
        ({"storage": "search.db"}, "'search.db' is no address; expected an address such as sqlite:///search.db"),
        ({"storage": "sqlite:////nowhere/search.db"}, "/nowhere/search.db can't be opened: unable to open"),
    ],
)
def test_bad_input_is_answered_before_the_second_trial(options, message):
    with pytest.raises(InputError, match=re.escape(message)):
        Search(Quick(), **options).fit(*DATA)
    assert len(Quick.seen) <= 1


def test_arguments_are_those_of_fit():
    with pytest.raises(ConfigError, match=r"the arguments must be those of Quick.fit: missing .* argument: 'y'"):
        Search(Quick()).fit(DATA[0])
    with pytest.raises(NotFittedError, match="this search has found nothing yet"):
        Search(Quick()).report("search.html")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_each_number_on_the_page_is_that_of_the_record(search, language, tmp_path):
    page = search.report(tmp_path / "page.html", language=language).read_text("utf-8")
    found = re.findall(r'data-metric="([^"]+)" data-value="([^"]+)"', page)
    record = json.loads(json.dumps(search.record_ | {"trials": search.trials_}))
    for place, value in found:
        at = record
        for key in place.split("/")[1:]:
            at = at[int(key)] if isinstance(at, list) else at[key]
        assert json.loads(value) == at, place
    assert {"/value", "/scores/best/metrics/accuracy", "/importance/rate", "/trials/7/seconds"} <= dict(found).keys()
    assert "<script" not in page
    assert "training diverged with" in page
    assert page.count("<polyline") > 8


@pytest.mark.slow
def test_a_process_that_is_killed_fails_its_trial_alone():
    ended = {}

    class Listed:
        left = [(0, {"rate": 0.4}), (1, {"rate": 0.5})]  # noqa: RUF012  # used up once

        def begin(self):
            return self.left.pop(0) if self.left else None

        def note(self, number, epoch):
            assert epoch["valid_threads"] == 1
            return epoch["epoch"] == 2

        def end(self, number, outcome):
            ended[number] = outcome

    run_in_processes(Listed(), Job(Quick(kills=True), Data("fit", {"X": [], "y": []}, "test_data"), "accuracy"), 1)
    assert ended == {
        0: Outcome(None),  # pruned
        1: Outcome(failure="the process of the trial was ended by SIGKILL: too little memory?"),
    }
