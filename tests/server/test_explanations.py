"""Attribution over HTTP: what `penstock.inspection` gives, within limits, and without holding up predictions."""

import asyncio
import json

import httpx
import numpy as np
import pytest

from penstock.client import Client
from penstock.errors import ConfigError
from penstock.inspection import attribute
from penstock.server import explanations
from penstock.server.explanations import Explanations, asked_of
from penstock.server.failures import RequestError
from penstock.server.request_queue import RequestQueue

SIGNAL = np.random.default_rng(0).normal(3, 2, (20, 2)).tolist()
SERIES = (10 + np.cos(np.arange(20))).round(3).tolist()
TEXT = "w1 w2, not w3!"


@pytest.fixture(scope="module")
def server(models, folders, running):
    with running(folders["words"], folders["both-ways"], *sorted(models["folder"].iterdir())) as process:
        yield process


def asked(server, name, inputs, **query):
    return httpx.post(f"{server.url}/v1/models/{name}/attribute", params=query, json={"inputs": inputs}, timeout=30)


@pytest.mark.parametrize(
    ("name", "one", "query"),
    [
        ("gestures", SIGNAL, {}),
        ("gestures", SIGNAL, {"target": "b"}),
        ("each-step", SIGNAL, {"at": 7}),
        ("level", SIGNAL, {}),
        ("sounds", np.sin(np.arange(4000)).round(3).tolist(), {}),
        ("sales", SERIES, {"at": 2}),
    ],
)
@pytest.mark.slow
def test_every_kind_of_model_is_explained(server, models, name, one, query):
    response = asked(server, name, [one], **query)
    assert response.status_code == 200, response.text
    expected = attribute(models[name], one, method="occlusion", **query)
    assert response.json() == {"attribution": json.loads(json.dumps(expected.to_json()))}


def test_the_client_asks_for_an_explanation(server, words):
    with Client(server.url) as client:
        found = client.attribute("words", TEXT, target="bad")
        assert found == json.loads(json.dumps(attribute(words, TEXT, method="occlusion", target="bad").to_json()))
        assert client.attribute("words", TEXT)["target"] == words.predict([TEXT])[0]
        with pytest.raises(ConfigError, match=r"there is no label .unheard."):
            client.attribute("words", TEXT, target="unheard")


def test_texts_are_explained_with_what_stands_between_words(server, words):
    found = asked(server, "words", [TEXT], target="bad").json()["attribution"]
    assert found == json.loads(json.dumps(attribute(words, TEXT, method="occlusion", target="bad").to_json()))
    tokens = [*found["coordinates"]["token"], ""]
    assert "".join(gap + token for gap, token in zip(found["gaps"], tokens, strict=True)) == TEXT
    assert asked(server, "both-ways", [TEXT]).status_code == 200


@pytest.mark.parametrize(
    ("inputs", "query", "status", "message"),
    [
        ([TEXT, TEXT], {}, 422, "one input can be explained at a time; got 2"),
        ([], {}, 422, "one input can be explained at a time; got 0"),
        ([""], {}, 422, "at least one token to explain"),
        ([TEXT], {"target": "bat"}, 422, "no label 'bat'. Did you mean 'bad'"),
        ([TEXT], {"at": "-1"}, 422, "at must be a step, a whole number from 1; got '-1'"),
        ([TEXT], {"at": 2}, 422, "one prediction for the whole input"),
        (["w1 " * 5000], {}, 422, "steps=4,096 steps of the network; got 5,000"),
        (["w" * (2 << 20)], {}, 413, "at most 2097152 bytes"),
    ],
)
def test_bad_requests_are_refused(server, inputs, query, status, message):
    response = asked(server, "words", inputs, **query)
    assert response.status_code == status
    assert message in response.json()["error"]["message"]


@pytest.mark.slow
async def test_predictions_overtake_a_long_explanation(server):
    async with httpx.AsyncClient(base_url=f"{server.url}/v1/models/words", timeout=30) as client:
        long = asyncio.create_task(client.post("/attribute", json={"inputs": ["w1 w2 " * 2000]}))
        await asyncio.sleep(0.02)
        for _ in range(3):
            assert (await client.post("/predict", json={"inputs": ["w1"]})).status_code == 200
        assert not long.done()
        assert (await long).status_code == 200


async def test_late_work_ends(words, monkeypatch):
    found = Explanations(RequestQueue(2))
    assert (await found.explain(words, [TEXT], None, None))["method"] == "occlusion"
    monkeypatch.setattr(explanations, "_SECONDS", 0.0)
    with pytest.raises(RequestError, match=r"not explained within 0 s\. Send a shorter one") as caught:
        await found.explain(words, ["w1 w2 " * 2000], None, None)
    assert caught.value.status == 503


def test_queries_are_read():
    assert asked_of({}) == (None, None)
    assert asked_of({"target": "good", "at": "12"}) == ("good", 12)
