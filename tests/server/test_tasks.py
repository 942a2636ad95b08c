"""Models of every task behind the same addresses: sounds, signals and forecasts, in JSON, in files and in streams."""

import io
import json
import wave

import httpx
import numpy as np
import pytest
from websockets.asyncio.client import connect

from penstock.errors import ConfigError, DataError, ShapeError, StateError
from penstock.panels.readers import read_series

STEPS = np.random.default_rng(0).normal(3, 2, (20, 2))


@pytest.fixture(scope="module")
def server(models, running):
    with running(*sorted(models["folder"].iterdir())) as process:
        yield process


ODD = [
    *("null", "true", "1e999", "1" + "0" * 400, "{}", '{"y": {}}', '{"ahead": 5}'),
    *('""', '"inf"', '"\\ud800"', '"\\u0000"', '"[1"', f'"{"[" * 3000}"', '"{}"'),
    *("[]", "[[]]", "[null]", "[[1, 2], [3]]", '["a", "b"]', "[1e308, -1e308]"),
    *(f"[1{'0' * 400}, 1]", "[" * 99 + "]" * 99),
]
"""Items and inputs, each as JSON, that some models can read and none may fail at."""


@pytest.mark.slow
async def test_no_item_however_odd_is_a_failure_of_ours(server, models):
    for name in sorted(models.keys() - {"folder"}):
        async with connect(f"ws{server.url[4:]}/v1/models/{name}/stream", compression=None) as stream:
            for odd in ODD:
                await stream.send(f'{{"push": {odd}}}')
                reply = json.loads(await stream.recv())
                assert reply.get("error", {}).get("type") != "InternalError", (name, odd[:40])
        for odd in ODD:
            response = httpx.post(f"{server.url}/v1/models/{name}/predict", content=f'{{"inputs": [{odd}]}}')
            assert response.status_code in (200, 400, 422), (name, odd[:40])
    assert not server.events("text")


def wav(samples, rate):
    data = io.BytesIO()
    with wave.open(data, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.astype("<i2").tobytes())
    return data.getvalue()


async def streamed(client, name, items, model):
    """The answers of the server's stream and of the model's own."""
    async with await client.stream(name) as stream:
        found = [await stream.push(item) for item in items[:5]]
        state = await stream.save()
        async with await client.stream(name, state) as later:
            found += [await later.push(item) for item in items[5:]]
            assert later.item == len(items)
    alone = model.stream()
    assert found == [model.as_json(alone.push(item)) for item in items]
    return found


@pytest.mark.parametrize("name", ["gestures", "each-step"])
async def test_signals(client, models, name):
    model = models[name]
    found = await streamed(client, name, STEPS.tolist(), model)
    assert len({answer["probabilities"]["a"] for answer in found}) > 5
    assert client.predict(name, [STEPS.tolist()]) == list(model.answers([STEPS]))
    with pytest.raises(ShapeError, match="channels=2"):
        client.predict(name, [[[1.0, 2.0, 3.0]]])
    async with await client.stream(name) as stream:
        first = await stream.push("1.5, 2")  # as a line
        with pytest.raises(DataError, match="Infinity is not a number"):
            await stream.push([1e400, 1.0])
        with pytest.raises(ShapeError, match="channels=2"):
            await stream.push([1.0, 2.0, 3.0])
        await stream.reset()
        assert await stream.push([1.5, 2.0]) == first
        assert await stream.finish() == first


async def test_sounds(client, server, models, spoken):
    model, recording = models["sounds"], spoken[0][0]
    samples = np.round(recording.samples * 32767).astype(np.int16)
    blocks = [samples[start : start + 1000] for start in range(0, len(samples), 1000)]
    async with await client.stream("sounds") as stream:
        found = [await stream.push(block.astype("<i2").tobytes()) for block in blocks]
        whole = await stream.finish()
        await stream.reset()
        with pytest.raises(DataError, match="even number of bytes"):
            await stream.push(b"\0")
        with pytest.raises(DataError, match="NaN"):
            await stream.push([0.5, float("nan")])
        assert await stream.push(blocks[0].astype("<i2").tobytes()) == found[0]
    alone = model.stream()
    assert found == [model.as_json(alone.push(block)) for block in blocks]
    assert whole == model.as_json(alone.finish())
    data, expected = wav(samples, model.features.rate), next(model.answers([samples]))
    response = httpx.post(f"{server.url}/v1/models/sounds/predict", content=data, headers={"content-type": "audio/wav"})
    assert response.json() == {"outputs": [{"file": "body.wav", **expected}]}
    response = httpx.post(f"{server.url}/v1/models/sounds/predict", files={"file": ("yes.wav", data)})
    assert response.json() == {"outputs": [{"file": "yes.wav", **expected}]}


def test_no_file_of_the_servers_machine_is_read(client, server, models, tmp_path):
    (tmp_path / "there.wav").write_bytes(wav(np.zeros(8000), 8000))
    (tmp_path / "list.csv").write_text(f"path,label\n{tmp_path / 'there.wav'},yes\n")
    for inputs in ([str(tmp_path / "there.wav")], ["/etc/passwd"], [["/etc/passwd", 8000]]):
        with pytest.raises((DataError, ShapeError)) as caught:
            client.predict("sounds", inputs)
        assert "No such file" not in str(caught.value)
        assert "root:" not in str(caught.value)
    with pytest.raises(ConfigError, match=r"must end in one of \.wav, \.flac, .*; got 'list\.csv'"):
        client.predict_file("sounds", tmp_path / "list.csv")
    (tmp_path / "bad.wav").write_bytes(b"RIFF....")
    with pytest.raises(DataError, match=r"bad\.wav: can't be read"):
        client.predict_file("sounds", tmp_path / "bad.wav")


async def test_forecasts(client, models, tmp_path):
    model = models["sales"]
    values = (10 + np.cos(np.arange(20))).round(3).tolist()
    found = await streamed(client, "sales", values, model)
    assert found[0] == {"prediction": None}
    assert len(found[-1]["prediction"]) == 3
    assert client.predict("sales", [values]) == list(model.answers([values]))
    (tmp_path / "sales.csv").write_text("y\n" + "".join(f"{value}\n" for value in values))
    expected = list(model.answers(read_series(tmp_path / "sales.csv")))
    assert client.predict_file("sales", tmp_path / "sales.csv") == expected
    with pytest.raises(DataError, match="context"):
        client.predict("sales", [values[:3]])
    async with await client.stream("sales") as stream:
        pushed = [await stream.push(value) for value in values]
        assert await stream.finish() == pushed[-1]
        with pytest.raises(StateError, match="finished"):
            await stream.push(1.0)
        await stream.reset()
        for value in values[:8]:
            answer, steps = await stream.trace(value)
        assert answer == pushed[7]
        assert list(steps[0][0]) == ["reset", "update", "candidate", "h"]
