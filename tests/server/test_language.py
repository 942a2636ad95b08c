"""Taggers, language models and translators behind the same addresses: options, and texts that go on."""

import asyncio
import json

import httpx
import pytest
from language_models import SENTENCE, save_all
from websockets.asyncio.client import connect

import penstock
from penstock.errors import ConfigError, DataError
from penstock.server.stream_scheduler import StreamScheduler


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("language")
    save_all(folder)
    return {path.name: penstock.load(path) for path in folder.iterdir()} | {"folder": folder}


@pytest.fixture(scope="module")
def server(served, running):
    with running(*sorted(served["folder"].iterdir())) as process:
        yield process


async def asked(server, name, *messages):
    """The replies to messages, and to a last one that is answered after all others."""
    async with connect(f"ws{server.url[4:]}/v1/models/{name}/stream", compression=None) as socket:
        for message in (*messages, {"save": True}):
            await socket.send(json.dumps(message))
        replies = []
        while "state" not in (reply := json.loads(await socket.recv())):
            replies.append(reply)
        return replies


@pytest.mark.parametrize("name", ["tags", "tags-whole"])
def test_sentences_are_tagged_as_the_model_tags_them(client, served, name):
    model, sentences = served[name], [SENTENCE, "Ada wrote", []]
    assert client.predict(name, sentences) == list(model.answers(sentences))
    assert client.tag(name, sentences) == model.predict(sentences)
    rows = client.predict(name, sentences, probabilities=True)
    assert rows == list(model.answers(sentences, probabilities=True))
    assert [row["tokens"] for row in rows] == [SENTENCE, ["Ada", "wrote"], []]
    for row, spread in zip(rows, model.predict_proba(sentences), strict=True):
        assert [list(shares.values()) for shares in row["probabilities"]] == spread.tolist()
        assert all(p in shares.values() for p, shares in zip(row["probability"], row["probabilities"], strict=True))
    half = '{"inputs": [["Ada", "\\ud800"]]}'  # of a surrogate pair, which JSON can hold and UTF-8 can't
    response = httpx.post(f"{client.url}/v1/models/{name}/predict", content=half)
    assert response.json() == {"outputs": list(model.answers([["Ada", "\ud800"]]))}
    with pytest.raises(DataError, match="a token must be a str"):
        client.predict(name, [["Ada", ""]])


def test_an_uploaded_file_of_sentences_has_options_and_columns(server, client, served, tmp_path):
    url, path = f"{server.url}/v1/models/tags/predict", tmp_path / "new.conll"
    path.write_text("1 Ada\n2 wrote\n\n1 Oslo\n")
    found = client.predict_file("tags", path, {"token": "2"}, probabilities=True)
    assert found == list(served["tags"].answers([["Ada", "wrote"], ["Oslo"]], probabilities=True))

    def sent(**fields):
        return httpx.post(url, files={"file": (path.name, path.read_bytes())}, data=fields)

    for fields, message in (
        ({"options": "{"}, "options of the form must be JSON"),
        ({"options": '{"beam": 2}'}, "has no option 'beam'"),
        ({"columns": '{"text": "x"}'}, "columns of a file for tagging may be column, token, form, encoding"),
        ({"columns": '{"token": 2}'}, "the column token must be a str; got 2"),
    ):
        refused = sent(**fields)
        assert refused.status_code in (400, 422)
        assert message in refused.json()["error"]["message"]


async def test_tags_arrive_with_their_look_ahead(client, served):
    model = served["tags"]
    async with await client.stream("tags") as stream:
        found = [await stream.push([token]) for token in SENTENCE[:3]]
        state = await stream.save()
        async with await client.stream("tags", state) as later:
            found += [await later.push([token]) for token in SENTENCE[3:]]
            found.append(await later.finish())
    assert [len(answer["steps"]) for answer in found] == [0, 1, 1, 1, 1, 1, 1]
    assert [step["prediction"] for answer in found for step in answer["steps"]] == model.predict([SENTENCE])[0]


async def test_a_long_text_holds_no_other_stream_up(served):
    model, text = served["letters"], "Ada wrote. " * 2000
    scheduler = StreamScheduler(model)
    scheduler.start()
    long, short = await scheduler.open(), await scheduler.open()
    slow = asyncio.create_task(scheduler.push(long, lambda: text))
    for _ in range(5):
        await scheduler.push(short, lambda: "Ada")
    assert not slow.done()
    assert await slow == model.as_json(model.stream().push(text))
    await scheduler.stop()


def test_prompts_go_on_as_the_model_goes_on(client, served):
    model = served["letters"]
    how = {"tokens": 12, "temperature": 0.7, "top_k": 5, "top_p": 0.9, "seed": 3}
    assert client.generate("letters", "the cat", **how) == model.generate("the cat", 12, **dict(list(how.items())[1:]))
    assert client.predict("letters", ["the", "a"]) == list(model.answers(["the", "a"]))
    for options, message in (
        ({"tokens": 10_001}, "tokens may be at most 10000"),
        ({"tokens": 1.5}, "tokens must be a whole number"),
        ({"top_p": 0}, "top_p must be a number, above 0"),
        ({"temperature": -1}, "temperature must be at least 0"),
        ({"temperature": 10**400}, "temperature must be a number"),
        ({"beam": 2}, "has no option 'beam'; it has tokens"),
    ):
        with pytest.raises(ConfigError, match=message):
            client.predict("letters", ["the"], **options)


async def test_a_stream_goes_on_token_by_token_with_the_same_bits(client, server, served):
    model = served["letters"]
    how = {"tokens": 20, "temperature": 0.8, "seed": 5}
    async with await client.stream("letters") as stream:
        surprisal = await stream.push("the cat")
        state = await stream.save()
        drawn = [answer async for answer in stream.generate(**how)]
        assert stream.item == 21
        async with await client.stream("letters", state) as fork:
            async for answer in fork.generate(tokens=10_000, seed=5, temperature=0.8):
                assert answer == drawn[fork.item - 2]
                if fork.item == 4:
                    break
            await asyncio.sleep(0)  # leaving the loop stops the model
            assert (await fork.push("a"))["count"] < 10_000
    alone = model.stream()
    assert surprisal == model.as_json(alone.push("the cat"))
    assert drawn == [model.as_json(each) for each in alone.generated(**how)]
    assert "".join(each["drawn"] for each in drawn) == model.generate("the cat", 20, temperature=0.8, seed=5)


async def test_what_comes_next_is_told_on_request(server, served):
    stream = served["words"].stream()
    stream.push("the cat")
    expected = [{"token": token, "probability": share} for token, share in stream.upcoming(3)]
    pushed, drawn, done = await asked(
        server, "words", {"push": "the cat", "next": 3}, {"generate": {"tokens": 1, "temperature": 0}, "next": 2}
    )
    assert pushed["next"] == expected
    assert expected[0]["probability"] > expected[1]["probability"] > 0
    assert (len(drawn["next"]), done) == (2, {"item": 2, "done": True})
    for message, error in (
        ({"push": "the", "next": 101}, "next must be a whole number from 0 to 100"),
        ({"push": "the", "next": "all"}, "next must be"),
        ({"generate": {"tokens": -1}}, "tokens must be at least 1"),
        ({"generate": {"n": 5}}, "no option 'n'"),
        ({"generate": []}, "options must be an object"),
        ({"generate": {"temperature": 1e-300, "tokens": 1}}, None),
    ):
        replies = await asked(server, "words", message)
        assert (error or "") in replies[0].get("error", {"message": ""})["message"]
        assert ("error" in replies[0]) == (error is not None)
    for message in ({"push": ["Ada"], "next": 3}, {"generate": {}}):
        (reply,) = await asked(server, "tags", message)
        assert reply["error"]["message"] == "a model for tagging does not predict what its input goes on with"


async def test_what_is_drawn_stops_on_request_and_when_the_client_has_gone(server):
    first = await asked(server, "letters", {"generate": {"tokens": 10_000}}, {"push": "a"}, {"stop": True})
    done = next(place for place, reply in enumerate(first) if reply.get("done"))
    assert done < 9_000
    assert [reply for reply in first[done:] if "answer" not in reply] == [
        {"item": done, "done": True},
        {"item": done + 1, "stopped": True},
    ]
    before = server.events("stream closed")
    async with connect(f"ws{server.url[4:]}/v1/models/letters/stream", compression=None) as socket:
        await socket.send('{"generate": {"tokens": 10000}}')
        await socket.recv()
    while len(server.events("stream closed")) == len(before):
        await asyncio.sleep(0.02)
    assert server.events("stream closed")[-1]["items"] < 9_000
    assert not server.events("failed")


def test_translations_are_those_of_the_model(client, served):
    model, texts = served["backwards"], ["abc", "", "dcba"]
    assert client.predict("backwards", texts) == list(model.answers(texts))
    found = client.translate("backwards", texts, beam=4, n_best=2, max_length=5, alignment=True)
    expected = list(model.answers(texts, 2, beam=4, max_length=5, alignment=True))
    assert [row for several in found for row in several] == expected
    assert [len(several) for several in found] == [2, 2, 2]
    alignment = found[0][0]["alignment"]
    assert alignment["source"] == ["a", "b", "c", "</s>"]
    assert all(sum(row) == pytest.approx(1, abs=1e-6) for row in alignment["weights"])
    for options, message in (
        ({"beam": 17}, "at most 16"),
        ({"n_best": 4}, "from 1 to beam"),
        ({"alignment": 1}, "true or false"),
    ):
        with pytest.raises(ConfigError, match=message):
            client.predict("backwards", texts, **options)
    with pytest.raises(DataError, match="at most 500 characters; number 1 has 501"):
        client.predict("backwards", ["a", "a" * 501])


@pytest.mark.parametrize("name", ["tags", "letters"])
def test_inputs_to_tag_or_continue_have_a_length(client, name):
    with pytest.raises(DataError, match="at most 131072 characters; number 0 has 131073"):
        client.predict(name, ["a" * 131073])
    with pytest.raises(DataError, match="at most 131072 tokens; number 1 has 131073"):
        client.predict(name, [["a"], ["a"] * 131073])


def test_options_beside_the_inputs_are_refused(server):
    url = f"{server.url}/v1/models"
    response = httpx.post(f"{url}/backwards/predict", json={"inputs": ["a"], "beam": 3})
    assert response.status_code == 422
    assert response.json()["error"]["message"].startswith('beam must be in "options"')
    response = httpx.post(f"{url}/tags/attribute", json={"inputs": [SENTENCE], "options": {"probabilities": True}})
    assert "an explanation has no options" in response.json()["error"]["message"]
