"""The view of detectors: what it shows is what the stream says."""

import numpy as np
import pytest

from penstock import AnomalyDetector
from penstock.detect.building import table_timelines

ROWS = (10 + 3 * np.sin(np.arange(300) / 4) + np.random.default_rng(0).normal(0, 0.1, 300)).round(2).tolist()


@pytest.fixture(scope="module")
def watching(tmp_path_factory):
    detector = AnomalyDetector(hidden_size=6, epochs=2, batch_size=8, chunk=32, baseline=False, random_state=0)
    folder = tmp_path_factory.mktemp("page") / "watch"
    detector.fit(np.array(ROWS)).save(folder)
    return detector.model_, folder


def test_alarms_and_conditions_as_the_stream_tells_them(watching, running, opened, picture):
    model, folder = watching
    rows = [*ROWS[:250], 95.0, *ROWS[251:270], *[ROWS[270]] * 30]
    stream = model.stream()
    told = [stream.push(row) for row in rows]
    flags = np.array([each.anomaly for each in told])
    alarms = int((np.diff(flags.astype(int), prepend=0) > 0).sum())
    assert alarms
    assert flags[250]
    assert told[-1].condition == "stuck"
    with running(folder) as server, opened(f"{server.url}/#watch") as tab:
        tab.wait("document.querySelector('#numbers')")
        assert tab.text("h1") == "Watch it watch"
        tab.click("#numbers")
        tab.write("\n".join(map(str, rows)))
        tab.wait("document.querySelector('.readout').textContent.endsWith('in 300 rows.')")
        assert tab.text(".readout") == (f"{alarms} alarms in 300 rows." if alarms > 1 else "One alarm in 300 rows.")
        begins = [
            n for n, each in enumerate(told) if each.condition and (not n or told[n - 1].condition != each.condition)
        ]
        expected = [told[n].condition for n in begins if told[n].condition != "probation"][::-1][:12]
        assert tab.value("[...document.querySelectorAll('.events li')].map((e) => e.dataset.condition)") == expected
        shown = int(flags[100:].sum())  # the last 200 rows, in both charts
        assert tab.value("document.querySelectorAll('.chart .mark.alarm').length") == 2 * shown
        assert tab.value("document.querySelectorAll('.chart .band').length") == 1
        tab.click("#near")
        assert tab.value("document.querySelectorAll('.chart .mark.alarm').length") == 2 * int(flags.sum())
        tab.wait("document.querySelector('canvas.heat')?.getBoundingClientRect().height > 0")  # gates of the last rows
        picture(tab, "detect")


@pytest.fixture(scope="module")
def reproducing(tmp_path_factory):
    """A detector of strokes of 25 rows, a table of seven more, the fifth of which is odd, and of ten rows."""
    draw, stroke = np.random.default_rng(0), np.sin(np.arange(25) / 4) ** 2
    strokes = {str(n): (10 + 3 * stroke + draw.normal(0, 0.1, 25)).round(2) for n in range(60)}
    columns = {"stroke": np.repeat(list(strokes), 25), "force": np.concatenate(list(strokes.values()))}
    data = table_timelines({name: each.tolist() for name, each in columns.items()}, targets=("force",), id="stroke")
    options = {"hidden_size": 6, "epochs": 4, "batch_size": 8, "learning_rate": 0.03, "baseline": False}
    detector = AnomalyDetector(kind="reconstruct", random_state=0, **options).fit(data)
    folder = tmp_path_factory.mktemp("page") / "press"
    detector.save(folder)
    lines = [f"new{n},{value}" for n in range(7) for value in strokes[str(n)]]
    lines[4 * 25 : 5 * 25] = [f"new4,{16 - step % 5}" for step in range(25)]
    return detector.model_, folder, ["stroke,force", *lines, *(f"new7,{value}" for value in strokes["7"][:10])]


def test_examples_are_shown_when_they_are_complete(reproducing, running, opened, picture):
    model, folder, lines = reproducing
    stream = model.stream()
    told = [stream.push({"stroke": name, "force": force}) for name, force in (line.split(",") for line in lines[1:])]
    examples = [each for each in told if each is not None]
    flagged = sum(each.anomaly for each in examples)
    alarms = int(sum((np.diff([row.anomaly for row in each.rows], prepend=0) > 0).sum() for each in examples))
    assert (len(examples), examples[4].anomaly) == (7, True)
    assert alarms > 1
    with running(folder) as server, opened(f"{server.url}/#press") as tab:
        tab.wait("document.querySelector('#numbers')")
        tab.click("#numbers")
        tab.write("\n".join(lines[:26]))
        tab.wait("document.querySelector('.readout').textContent.endsWith('0 rows wait for the end of theirs.')")
        assert tab.text(".events") == "Nothing unusual so far."
        tab.write("\n" + "\n".join(lines[26:]))
        tab.wait("document.querySelector('.readout').textContent.includes(' in 175 rows.')")
        shown = int(sum(row.anomaly for each in examples for row in each.rows))
        assert tab.value("document.querySelectorAll('.chart .mark.alarm').length") == 2 * shown
        assert tab.value("document.querySelectorAll('.chart .band').length") == 1
        tab.wait("document.querySelector('canvas.heat')?.getBoundingClientRect().height > 0")
        picture(tab, "detect-examples")
        assert tab.text(".readout") == (
            f"{alarms} alarms in 175 rows. {flagged} of 7 complete examples flagged; "
            "10 rows wait for the end of theirs."
        )
        tab.write("\nnew8,10")  # before the end of new7
        tab.wait("document.querySelector('.notice.failed')")
        assert "the rows of an example are of one series; got 'new8' too" in tab.text(".notice.failed")
