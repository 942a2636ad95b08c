"""The views of forecasts, signals and sounds: what they show is what the streams say."""

import itertools
import json
import re
import wave

import numpy as np
import pytest

SIGNAL = np.random.default_rng(3).normal(3, 2, (30, 2)).round(2).tolist()
SERIES = (10 + 3 * np.cos(np.arange(30))).round(2).tolist()


@pytest.fixture
def sound(tmp_path, spoken):
    """A recording at the model's rate: its file and its 16-bit samples."""
    samples = np.round(spoken[0][0].samples * 32767).astype(np.int16)
    with wave.open(str(tmp_path / "word.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(samples.astype("<i2").tobytes())
    return tmp_path / "word.wav", samples


def enter(tab, text):
    """Put numbers into the empty field."""
    tab.wait("document.querySelector('#numbers')")
    tab.click("#numbers")
    tab.write(text)


def lines(values):
    return "\n".join(", ".join(map(str, np.atleast_1d(value).tolist())) for value in values)


def bars(tab):
    return tab.value("Object.fromEntries([...document.querySelectorAll('.bars li')].map((li) => "
                     "[li.dataset.label, li.querySelector('output').textContent]))")  # fmt: skip


def in_percent(answer):
    return {label: f"{100 * p:.1f} %" for label, p in answer.items()}


def of(number):
    return f"{number:.2f}".replace("-", "−")


def test_a_forecast_from_the_cut_off_beside_the_actual_values(server, opened, models, picture):
    model = models["sales"]
    stream = model.stream()
    answers = stream.push_many(SERIES)
    with opened(f"{server.url}/#sales") as tab:
        enter(tab, lines(SERIES))
        tab.wait("document.querySelector('#cut')?.max === '30' && document.querySelector('#cut').value === '30'")
        assert tab.text(".readout") == "After 30: this is still to come."
        expected = [of(value) for value in answers[-1].prediction[:, 0]]
        shown = "[...document.querySelectorAll('.ahead strong')].map((e) => e.textContent)"
        assert tab.value(shown) == expected
        tab.value("document.querySelector('#cut').focus()")
        tab.press("ArrowLeft", 10)
        assert tab.value("document.querySelector('#cut').ariaValueText") == "20"
        forecast = answers[19]
        assert tab.value(shown) == [of(value) for value in forecast.prediction[:, 0]]
        came = tab.value("[...document.querySelectorAll('.ahead .came')].map((e) => e.textContent)")
        assert came == [of(value) for value in SERIES[20:23]]
        low, high = forecast.quantiles[:, 0, 0], forecast.quantiles[:, 0, -1]
        inside = sum(a <= v <= b for a, v, b in zip(low, SERIES[20:23], high, strict=True))
        error = np.abs(forecast.prediction[:, 0] - SERIES[20:23]).mean()
        share = round(100 * (model.features.quantiles[-1] - model.features.quantiles[0]))
        digits = 2 if error >= 1 else 4
        assert tab.text(".readout") == (
            f"After 20: mean absolute error {error:.{digits}f}; {inside} of 3 within the {share}% interval."
        )
        picture(tab, "forecast")


@pytest.mark.slow
def test_the_cut_off_can_be_dragged(server, opened):
    with opened(f"{server.url}/#sales") as tab:
        enter(tab, lines(SERIES))
        tab.wait("document.querySelector('#cut')?.max === '30'")
        tab.value("document.querySelector('.chart').scrollIntoView({block: 'center'})")
        x, y, width, height = tab.box(".chart")
        tab.mouse("mousePressed", x + width * 0.8, y + height / 2)
        tab.mouse("mouseMoved", x + width * 0.5, y + height / 2)
        half = int(tab.value("document.querySelector('#cut').value"))
        tab.mouse("mouseMoved", x + 1, y + height / 2)
        least = int(tab.value("document.querySelector('#cut').value"))
        tab.mouse("mouseReleased", x + 1, y + height / 2)
        assert 10 < half < 25
        assert least == 8  # the model's context
        assert tab.value("document.querySelectorAll('.ahead li').length") == 3


@pytest.mark.slow
def test_series_come_from_tables_and_files(server, opened, models, tmp_path):
    answer = models["sales"].stream().push_many(SERIES)[-1]
    rows = "".join(f"2020-01-{n + 1:02},{100 - n},{value}\n" for n, value in enumerate(SERIES))
    (tmp_path / "sales.csv").write_text("day,other,sold\n" + rows)
    with opened(f"{server.url}/#sales") as tab:
        tab.wait("document.querySelector('#file')")
        tab.choose_file("#file", tmp_path / "sales.csv")
        tab.wait("document.querySelector('#cut')?.max === '30'")
        assert tab.value("document.querySelector('#column').value") == "sold"
        expected = [of(value) for value in answer.prediction[:, 0]]
        shown = "[...document.querySelectorAll('.ahead strong')].map((e) => e.textContent).join()"
        tab.wait(f"{shown} === '{','.join(expected)}'")
        assert tab.text(".readout") == "After 2020-01-30: this is still to come."
        tab.choose("#column", "other")
        tab.wait(f"{shown} !== '{','.join(expected)}'")
        tab.click("[data-say=clear]")
        tab.wait("document.querySelector('#cut').checkVisibility() === false")
        enter(tab, "year,sold\n" + "".join(f"{1990 + n},{value}\n" for n, value in enumerate(SERIES)))
        tab.wait("document.querySelector('.readout').textContent.startsWith('After 2019:')")
        assert tab.value(shown) == ",".join(expected)
        tab.click("[data-say=clear]")
        enter(tab, "one two three")
        tab.wait("document.querySelector('#numbers-how').textContent === 'No column of numbers found.'")


@pytest.mark.slow
def test_a_fan_after_a_missing_value_has_no_holes(server, opened):
    rows = "".join(f"{1990 + n},{value}\n" for n, value in enumerate(SERIES))
    with opened(f"{server.url}/#sales") as tab:
        enter(tab, f"year,sold\n{rows}{1990 + len(SERIES)},\n")
        tab.wait(f"document.querySelector('#cut').value === '{len(SERIES) + 1}'")
        tab.wait("document.querySelectorAll('.chart path.band').length > 0")
        drawn = "[...document.querySelectorAll('.chart path')].map((path) => path.getAttribute('d')).join()"
        assert "NaN" not in tab.value(drawn)
        tab.value(f"document.querySelector('#cut').value = {len(SERIES) - 1}")
        tab.value("document.querySelector('#cut').dispatchEvent(new Event('input', { bubbles: true }))")
        tab.wait("document.querySelectorAll('.chart text.name').length > 1")
        heights = "[...document.querySelectorAll('.chart text')].map((text) => text.getAttribute('y')).join()"
        assert "NaN" not in tab.value(heights)


def test_tables_are_read_as_people_write_them(server, opened):
    cases = {
        "1\n2\n\n3": [["1", [1, 2, 3]]],
        "1, 2.5, -3": [["1", [1, 2.5, -3]]],
        "a;b\n1;\n2;x": [["a", [1, 2]]],
        "t\ty\n2020\t1e3\n2021\tNA": [["t", [2020, 2021]], ["y", [1000, None]]],
        '"y"\r\n"1"\r\n"2"': [["y", [1, 2]]],
        "": [],
        "Infinity\nnan": [],
        "# a, remark\ny\n1\n2": [["y", [1, 2]]],
    }
    with opened(f"{server.url}/#sales") as tab:
        read = ("import('/page/numbers.js').then(({ parseTable }) => parseTable(%s).columns.filter((c) => c.numeric)"
                ".map(({ name, values }) => [name, values]))")  # fmt: skip
        assert {text: tab.value(read % json.dumps(text)) for text in cases} == cases


def test_a_signal_and_the_classes_after_each_step(server, opened, models, picture):
    stream = models["gestures"].stream()
    answers = [stream.push(step) for step in SIGNAL]
    with opened(f"{server.url}/#gestures") as tab:
        enter(tab, lines(SIGNAL))
        tab.wait("document.querySelector('.verdict + p').textContent === 'after step 30'")
        assert bars(tab) == in_percent(answers[-1])
        picture(tab, "signal")
        tab.value("document.querySelector('.chart').scrollIntoView({block: 'center'})")
        x, y, width, height = tab.box(".chart")
        tab.mouse("mousePressed", x + width / 2, y + height / 2)
        tab.mouse("mouseReleased", x + width / 2, y + height / 2)
        step = int(re.fullmatch(r"after step (\d+)", tab.text(".verdict + p"))[1])
        assert 10 < step < 25
        assert bars(tab) == in_percent(answers[step - 1])
        tab.click("[data-say=clear]")
        enter(tab, "1\n2\n3")
        tab.wait("document.querySelector('#numbers-how').textContent === 'This model needs 2 columns of numbers.'")


@pytest.mark.slow
def test_a_signal_and_the_number_predicted(server, opened, models, picture):
    stream = models["level"].stream()
    answer = [stream.push(step) for step in SIGNAL][-1]
    with opened(f"{server.url}/#level") as tab:
        enter(tab, lines(SIGNAL))
        tab.wait("document.querySelector('.verdict + p').textContent === 'after step 30'")
        assert float(tab.text(".verdict strong")) == pytest.approx(answer, rel=1e-4)  # five digits are shown
        picture(tab, "number")


@pytest.mark.slow
def test_a_sound_file_and_its_score_over_time(server, opened, models, sound, picture):
    path, samples = sound
    model = models["sounds"]
    stream = model.stream()
    answers = [stream.push(samples[start : start + 400]) for start in range(0, len(samples), 400)]
    whole = stream.finish()
    with opened(f"{server.url}/#sounds") as tab:
        tab.wait("document.querySelector('#file')")
        tab.choose_file("#file", path)
        tab.wait("document.querySelector('.verdict + p').textContent === 'for the whole sound'")
        assert bars(tab) == in_percent(whole)
        assert tab.value("document.querySelector('audio').checkVisibility()")
        x, y, width, height = tab.box(".timeline .chart")
        tab.mouse("mousePressed", x + width / 2, y + height / 2)
        tab.mouse("mouseReleased", x + width / 2, y + height / 2)
        seconds = float(re.fullmatch(r"after (.*) s", tab.text(".verdict + p"))[1])
        assert bars(tab) == in_percent(answers[round(seconds / 0.05) - 1])
        picture(tab, "sound")
        path.write_bytes(b"RIFF and nothing else")
        tab.choose_file("#file", path)
        tab.wait(
            "document.querySelector('.writing .quiet').textContent.includes('no sound that this browser can read')"
        )


@pytest.mark.slow
def test_what_the_microphone_hears(server, opened):
    with opened(f"{server.url}/#sounds") as tab:
        tab.wait("document.querySelector('[data-say=record]')")
        tab.click("[data-say=record]")
        tab.wait("document.querySelector('.timeline .line')?.checkVisibility()")
        tab.click("[data-say=stopRecording]")
        tab.wait("document.querySelector('.verdict + p').textContent === 'for the whole sound'")
        heard = float(re.fullmatch(r"(.*) s heard", tab.text(".writing .quiet"))[1])
        assert 0 < heard < 30


def test_the_spectrogram_finds_a_tone(server, opened):
    with opened(f"{server.url}/#sounds") as tab:
        loudest = tab.value(
            "import('/page/spectrogram.js').then(({ melBands }) => { const tone = Float32Array.from({length: 4000}, "
            "(_, n) => Math.sin(2 * Math.PI * 1000 * n / 8000)); const frames = melBands(tone, 8000);"
            "return [frames.length, frames[5].indexOf(Math.max(...frames[5]))]; })"
        )
    mel = 2595 * np.log10(1 + np.array([1000, 4000]) / 700)
    # 25 ms windows every 10 ms; the band whose middle lies nearest.
    assert loudest == [48, round(mel[0] / mel[1] * 49) - 1]


@pytest.mark.parametrize("name", ["sales", "gestures", "sounds"])
@pytest.mark.slow
def test_fits_a_phone_in_chinese(server, opened, sound, picture, name):
    with opened(f"{server.url}/#{name}", width=360, height=740, dark=True, language="zh-CN") as tab:
        tab.wait("document.querySelector('#file')")
        if name == "sounds":
            tab.choose_file("#file", sound[0])
        else:
            tab.click("[data-say=madeUp]")
        tab.wait(
            "document.querySelector('.chart path.line')?.checkVisibility() && !document.querySelector('[aria-busy]')"
        )
        assert tab.value("document.documentElement.scrollWidth") <= 360
        said = tab.value("[...document.querySelectorAll('[data-say]')].map((e) => e.textContent)")
        assert all(re.search(r"[\u4e00-\u9fff]", text) for text in said)
        unnamed = [node for node in tab.tree() if node["role"] in {"button", "slider", "textbox", "combobox", "image"}]
        assert [node for node in unnamed if not node["name"].strip()] == []
        picture(tab, f"{name}-zh-dark-360")


HEAT = "document.querySelector('.inside')?.checkVisibility() === true"
MAP = "document.querySelector('.inside .readout').textContent"


@pytest.mark.slow
def test_inside_a_forecaster_the_steps_before_the_cut_off(server, opened, models):
    with opened(f"{server.url}/#sales") as tab:
        enter(tab, lines(SERIES))
        tab.wait(HEAT)
        stream = models["sales"].stream()
        stream.push_many(SERIES[:-1])
        _, traces = stream.trace(SERIES[-1])
        tab.wait(f"{MAP} !== ''")
        shown = re.fullmatch(r"Unit (\d+) at step (\S+): ([\w ]+) (\S+)", tab.value(MAP))
        gate = shown[3].removesuffix(" gate").lower()
        assert float(shown[4]) == pytest.approx(traces[-1][0][gate].ravel()[int(shown[1])], abs=1e-4)


@pytest.mark.slow
def test_inside_a_model_of_signals_each_step_by_its_number(server, opened, models):
    with opened(f"{server.url}/#gestures") as tab:
        enter(tab, lines(SIGNAL))
        tab.wait(HEAT)
        tab.wait(f"{MAP}.includes(' at step ')")


@pytest.mark.slow
def test_a_sound_is_looked_into_once_it_is_heard(server, opened, sound):
    file, _ = sound
    with opened(f"{server.url}/#sounds") as tab:
        tab.wait("document.querySelector('#file')")
        tab.choose_file("#file", file)
        tab.wait(HEAT)
        assert re.search(r"at step \d+\.\d\d s: ", tab.value(MAP))


@pytest.mark.slow
def test_the_charts_of_a_signal_have_one_axis_of_steps(server, opened):
    with opened(f"{server.url}/#gestures") as tab:
        enter(tab, lines(SIGNAL))
        marks = "[...document.querySelectorAll('.chart .mark')].map((line) => line.getAttribute('x1'))"
        tab.wait(f"{marks}.length >= 2")
        assert len(set(tab.value(marks)[:2])) == 1


@pytest.mark.slow
def test_times_continue_after_the_end_and_never_overlap(server, opened):
    day = "[...Array(30)].map((_, n) => `2020-01-${String(n + 1).padStart(2, '0')} 00:00:00`)"
    with opened(f"{server.url}/#sales") as tab:
        tab.wait("document.querySelector('#numbers')")
        named = f"import('/page/times.js').then(({{ stepNames }}) => {{ const name = stepNames({day}); return [0, 29, 30, 33].map(name); }})"  # noqa: E501
        assert tab.value(named) == ["2020-01-01", "2020-01-30", "2020-01-31", "2020-02-03"]
        months = "import('/page/times.js').then(({ stepNames }) => [3, 4].map(stepNames(['2020-09-01', '2020-10-01', '2020-11-01', '2020-12-01'])))"  # noqa: E501
        assert tab.value(months) == ["2020-12-01", "2021-01-01"]
        odd = "import('/page/times.js').then(({ stepNames }) => [2, 4].map(stepNames(['one', 'two', 'three'])))"
        assert tab.value(odd) == ["three", "+2"]
        enter(tab, "day,sold\n" + "".join(f"2020-01-{n + 1:02} 12:30:00,{value}\n" for n, value in enumerate(SERIES)))
        tab.wait("document.querySelector('#cut')?.max === '30'")
        boxes = "[...document.querySelectorAll('.chart .tick[text-anchor=middle]')].map((e) => { const b = e.getBBox(); return [b.x, b.x + b.width]; })"  # noqa: E501
        places = tab.value(boxes)
        assert len(places) > 1
        assert all(one[1] < other[0] for one, other in itertools.pairwise(places))


@pytest.mark.slow
def test_links_lead_on_and_a_request_can_be_copied(server, opened, models):
    with opened(f"{server.url}/#gestures") as tab:
        tab.wait("document.querySelector('.links')")
        leads = tab.value("[...document.querySelectorAll('.links a')].map((a) => a.getAttribute('href'))")
        assert leads[-2:] == ["/metrics", "/openapi.json"]
        copied = "new Promise((done) => { navigator.clipboard.writeText = async (text) => done(text); document.querySelector('[data-say=copyCurl]').click(); })"  # noqa: E501
        assert tab.value(copied).startswith(f"curl '{server.url}/v1/models/gestures/predict'")
        python = copied.replace("copyCurl", "copyPython")
        assert f'penstock.Client("{server.url}")' in tab.value(python)


SECOND = "document.querySelector('[aria-labelledby=compare-title] .verdict')"


@pytest.mark.parametrize("name", ["level", "each-step"])
@pytest.mark.slow
def test_a_second_model_reads_the_same_signal(server, opened, name):
    with opened(f"{server.url}/#{name}") as tab:
        enter(tab, lines(SIGNAL))
        tab.wait("document.querySelector('.verdict').textContent !== '–'")
        tab.choose("#compare", f"twin-{name}")
        tab.wait("document.querySelector('.verdict + p').textContent === 'after step 30'")
        tab.wait(f"{SECOND}.textContent === document.querySelector('.answer .verdict').textContent")
        assert tab.value("document.querySelectorAll('[aria-labelledby=compare-title] svg').length") == 1


@pytest.mark.slow
def test_a_second_forecast_stands_in_the_chart(server, opened, models):
    with opened(f"{server.url}/#sales") as tab:
        enter(tab, lines(SERIES))
        tab.wait("document.querySelectorAll('.ahead li').length === 3")
        assert tab.value("document.querySelectorAll('[aria-labelledby=fan-title] svg .line.s0').length") == 0
        tab.choose("#compare", "twin-sales")
        tab.wait("document.querySelector('[aria-labelledby=fan-title] svg .line.s0')")
        drawn = "document.querySelector('[aria-labelledby=fan-title] svg .line.{}').getAttribute('d')"
        assert tab.value(drawn.format("s0")) == tab.value(drawn.format("s1"))
        tab.choose("#compare", "")
        tab.wait("!document.querySelector('[aria-labelledby=fan-title] svg .line.s0')")


@pytest.mark.slow
def test_a_second_model_hears_the_same_sound(server, opened, models, sound):
    path, samples = sound
    stream = models["sounds"].stream()
    for start in range(0, len(samples), 400):
        answer = stream.push(samples[start : start + 400])
    label = max(answer, key=answer.get)
    with opened(f"{server.url}/#sounds") as tab:
        tab.wait("document.querySelector('#file')")
        tab.choose_file("#file", path)
        tab.wait("document.querySelector('.verdict + p').textContent === 'for the whole sound'")
        tab.choose("#compare", "twin-sounds")
        tab.wait(f"{SECOND}.textContent === '{label}{100 * answer[label]:.1f} %'")
