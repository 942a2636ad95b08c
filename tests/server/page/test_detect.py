"""The view of detectors: what it shows is what the stream says."""

import numpy as np
import pytest

from penstock import AnomalyDetector

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
