"""HTTP: models, whole inputs, files, figures; and the OpenAPI document, tried by schemathesis."""

import asyncio
import gzip
import json
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

import penstock
from penstock.errors import ConfigError, DataError, ServerError

TEXTS = ["w1 w2", "", "unknown", "w3 " * 30]


def test_models_are_listed_and_described(client, folders, words):
    listed = client.models()
    assert [entry["name"] for entry in listed] == ["words", "other", "both-ways"]
    assert listed[0] == {
        "name": "words",
        "task": "text-classification",
        "labels": ["bad", "good"],
        "streams": True,
        "fingerprint": words.fingerprint,
    }
    assert not listed[2]["streams"]
    assert client.model("words") == {**words.info(), "name": "words", "changed_on_disk": False, "report": False}
    with pytest.raises(ServerError, match="available: words, other, both-ways") as caught:
        client.model("none")
    assert caught.value.code == 404


def test_a_model_that_is_not_there_costs_no_connection_and_no_traceback(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        for _ in range(2):
            connection.sendall(b"GET /v1/models/none HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
            received = b""
            while b"other, both-ways" not in received:
                received += (part := connection.recv(65536))
                assert part, received
            assert received.startswith(b"HTTP/1.1 404")
    assert not [line for line in server.log if "traceback" in line]


def test_head_gives_what_get_gives_without_a_body(server):
    for path in ("/healthz", "/v1/models"):
        head, get = httpx.head(server.url + path), httpx.get(server.url + path)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == get.headers["content-length"] == str(len(get.content))
        assert get.headers["x-content-type-options"] == "nosniff"


def test_a_compressed_body_is_refused(server):
    packed = gzip.compress(b'{"inputs": ["w1"]}')
    response = httpx.post(f"{server.url}/v1/models/words/predict", content=packed, headers={"content-encoding": "gzip"})
    assert (response.status_code, response.json()["error"]["type"]) == (415, "UnsupportedMediaType")
    assert "content-encoding 'gzip'" in response.json()["error"]["message"]


def test_predict_gives_what_the_model_gives(client, folders, words):
    assert client.predict("words", TEXTS) == list(words.answers(TEXTS))
    assert client.predict("both-ways", TEXTS) == list(penstock.load(folders["both-ways"]).answers(TEXTS))
    assert client.predict("words", []) == []


@pytest.mark.parametrize("inputs", [[5], [None], ["w1", 5], [["w1"]], [{}]])
def test_inputs_of_another_kind_raise_what_the_model_raises(client, inputs):
    with pytest.raises(DataError, match="must all be str"):
        client.predict("words", inputs)


@pytest.mark.parametrize(
    ("content", "status", "message"),
    [
        (b"", 400, "must be JSON"),
        (b"{", 400, "must be JSON"),
        (b'{"inputs": [NaN]}', 400, "NaN is not a number"),
        (b"[" * 100_000, 400, "must be JSON"),
        (b"[]", 422, "inputs"),
        (b'{"inputs": "w1"}', 422, "inputs"),
        (b'{"input": ["w1"]}', 422, "inputs"),
    ],
)
def test_bodies_that_are_not_requests_are_refused(server, content, status, message):
    response = httpx.post(f"{server.url}/v1/models/words/predict", content=content)
    assert response.status_code == status
    assert message in response.json()["error"]["message"]


async def test_requests_that_wait_together_are_answered_as_alone(server, words):
    async with httpx.AsyncClient(base_url=server.url) as client:

        async def one(number):
            texts = [f"w{number} w{step}" for step in range(number % 4)]
            bad = [7] if number % 10 == 9 else []
            response = await client.post("/v1/models/words/predict", json={"inputs": texts + bad})
            if bad:
                assert response.status_code == 422
            else:
                assert response.json() == {"outputs": list(words.answers(texts))}

        await asyncio.gather(*(one(number) for number in range(40)))


@pytest.mark.parametrize("name", ["texts.csv", "texts.tsv", "texts.jsonl", "texts.txt"])
def test_files_are_read_as_predict_reads_them(client, words, tmp_path, name):
    lines = {
        "texts.csv": 'text,other\nw1 w2,1\n"w3, w4",2\n',
        "texts.tsv": "text\tother\nw1 w2\t1\nw3, w4\t2\n",
        "texts.jsonl": '{"text": "w1 w2"}\n{"text": "w3, w4"}\n',
        "texts.txt": "w1 w2\nw3, w4\n",
    }
    path = tmp_path / name
    path.write_text(lines[name])
    expected = list(words.answers(["w1 w2", "w3, w4"]))
    assert client.predict_file("words", path) == expected
    types = {"csv": "text/csv", "tsv": "text/tab-separated-values", "jsonl": "application/jsonl", "txt": "text/plain"}
    response = client._http.post(
        "/v1/models/words/predict", content=path.read_bytes(), headers={"content-type": types[name[6:]]}
    )
    assert response.json() == {"outputs": expected}


def test_files_that_can_not_be_read_are_refused(server, client, tmp_path):
    wrong = tmp_path / "texts.csv"
    wrong.write_text("n\n1\n")
    with pytest.raises(DataError, match="text"):
        client.predict_file("words", wrong)
    with pytest.raises(ConfigError, match="must end in one of"):
        client.predict_file("words", __file__)
    url = f"{server.url}/v1/models/words/predict"
    for headers, status, message in (
        ({"content-type": "application/pdf"}, 415, "text/csv"),
        ({"content-type": "multipart/form-data"}, 400, "form"),
        ({"content-type": "multipart/form-data; boundary=x"}, 400, "form"),
        ({"content-type": "audio/wav"}, 422, "must end in one of"),
        ({"content-type": "application/vnd.apache.parquet"}, 422, "parquet"),
    ):
        response = httpx.post(url, content=b"nonsense", headers=headers)
        assert (response.status_code, message in response.json()["error"]["message"].lower()) == (status, True)
    assert not server.events("text")  # logs are JSON lines, whoever writes them
    response = httpx.post(url, files={}, data={"file": "no file"})
    assert response.status_code == 400 or "JSON" in response.json()["error"]["message"]


def test_missing_things_are_reported_in_the_same_form(server):
    for method, path, status in (("GET", "/v2", 404), ("POST", "/v1/models", 405), ("GET", "/page/none.js", 404)):
        response = httpx.request(method, server.url + path)
        assert response.status_code == status
        assert set(response.json()["error"]) == {"type", "message"}
    for path in ("/page/..%2Fserved.py", "/page/../served.py", "/page/%2e%2e%2frun.py", f"/page/{'a' * 5000}.js"):
        assert httpx.get(server.url + path).status_code == 404


async def test_figures_are_counted(server, client):
    before = figures(client)
    client.predict("words", ["w1"])
    async with await client.stream("words") as stream:
        for _ in range(3):
            await stream.push("w1 w2")
        now = figures(client)
    name = 'penstock_requests_total{method="POST",path="/v1/models/{name}/predict",status="200"}'
    assert now[name] == before.get(name, 0) + 1
    assert now['penstock_engine_steps_total{model="words"}'] == before['penstock_engine_steps_total{model="words"}'] + 6
    assert now['penstock_items_total{model="words"}'] == before.get('penstock_items_total{model="words"}', 0) + 3
    assert now['penstock_streams{model="words"}'] == 1
    assert now["process_resident_memory_bytes"] > 1e6


def figures(client):
    """Name with labels to value, of Prometheus' text format."""
    response = client._http.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = [line.rpartition(" ") for line in response.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


def test_the_log_is_json_lines_without_what_clients_sent(folders, running):
    with running(folders["words"]) as server:
        httpx.post(f"{server.url}/v1/models/words/predict", json={"inputs": ["a secret"]})
        httpx.post(f"{server.url}/v1/models/words/predict", content=b"another secret")
        assert server.stop() == 0
        assert not server.events("text")
        assert [line["event"] for line in server.log] == ["ready", "request", "request", "stopping", "stopped"]
        request = server.events("request")[0]
        assert (request["method"], request["path"]) == ("POST", "/v1/models/words/predict")
        assert {"time", "level", "ms", "status"} <= set(request)
        assert "secret" not in json.dumps(server.log)
        assert server.events("ready")[0]["models"] == ["words"]


@pytest.mark.parametrize(
    ("words_", "message"),
    [
        (["--host", "0.0.0.0"], "a token is needed"),
        (["--host", "::"], "a token is needed"),
        *(([flag, "nan"], "must be a number") for flag in ("--max-body-mb", "--max-message-kb", "--idle-seconds")),
        (["--grace-seconds", "inf"], "finite"),
        (["--host", "example.org"], "a token is needed"),
        (["--port", "70000"], "port"),
        (["--token", "two words"], "the token must be one or more ASCII"),
        (["--token", ""], "the token must be one or more ASCII"),
        (["--max-streams", "0"], "--max-streams must be a whole number, at least 1"),
        (["--idle-seconds", "0"], "idle_seconds must be above 0"),
        (["--log-level", "loud"], "--log-level must be one of"),
        (["nowhere"], "nowhere"),
        (["words"], "two models have the name 'words'"),
        (["--host", "192.0.2.1", "--token", "t"], "can't listen on 192.0.2.1"),
    ],
)
def test_what_can_not_be_served_is_refused_with_code_2(folders, penstock, monkeypatch, words_, message):
    monkeypatch.chdir(folders["words"].parent)
    result = penstock(
        "serve", "words", *words_, "--port" if "--port" not in words_ else "--debug", *["0"] * ("--port" not in words_)
    )
    assert (result.code, result.out) == (2, "")
    assert message in result.err


def test_a_port_in_use_is_refused(server, folders, penstock):
    result = penstock("serve", folders["words"], "--port", server.port)
    assert result.code == 2
    assert "Address already in use. Choose another --host or --port" in result.err


def test_models_can_be_named(folders, running):
    with (
        running(f"reviews={folders['words']}", f"评论={folders['other']}") as server,
        penstock.Client(server.url) as client,
    ):
        assert [entry["name"] for entry in client.models()] == ["reviews", "评论"]
        assert client.predict("评论", ["w1"])


def test_it_is_ready_within_a_second(folders, running):
    """Of a quiet machine; this one may be busy, so what metrics is what the process has used itself."""
    with running(folders["words"]) as server:
        fields = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
        ticks = int(fields[11]) + int(fields[12])
        assert ticks / 100 < 1.5  # a hundred a second on Linux; a busy neighbour slows the same work by half
        assert server.events("ready")[0]["seconds"] < 5


def test_nothing_of_pytorch_is_loaded(folders):
    code = (
        "import sys; from penstock.server import run, application\n"
        "from penstock.server.served_model import load_all\n"
        "load_all([sys.argv[1]]); print(sorted({'torch', 'sklearn', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, folders["words"]], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("token", [None, "s3cret"])
def test_the_document_names_every_address_and_says_where_a_token_is_needed(folders, running, token):
    with running(folders["words"], *(["--token", token] if token else [])) as server:
        document = httpx.get(f"{server.url}/openapi.json").json()
        addresses = ["/healthz", "/readyz", "/metrics", "/v1/models", "/v1/models/{name}"]
        addresses += ["/v1/models/{name}/predict", "/v1/models/{name}/attribute"]
        assert list(document["paths"]) == addresses
        for address in addresses:
            (operation,) = document["paths"][address].values()
            guarded = token is not None and address not in ("/healthz", "/readyz")
            assert ("security" in operation, "401" in operation["responses"]) == (guarded, guarded)
            for status, response in operation["responses"].items():
                expected = "text/plain" if (address, status) == ("/metrics", "200") else "application/json"
                assert list(response["content"]) == [expected]
        predict = document["paths"]["/v1/models/{name}/predict"]["post"]
        assert {"application/json", "multipart/form-data", "text/csv", "audio/wav"} <= set(
            predict["requestBody"]["content"]
        )
        assert ("securitySchemes" in document["components"]) == (token is not None)


@pytest.mark.slow
def test_schemathesis_finds_the_document_true(server, tmp_path):
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{server.url}/openapi.json", "--max-examples", "15"),
        # Which inputs, targets and steps a model has the document can't say: a text model refuses numbers.
        *("--warnings", "missing_auth,missing_test_data,missing_deserializer"),
        *("--phases", "examples,coverage,fuzzing", "--exclude-checks", "positive_data_acceptance", "--seed", "0"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=120)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert "No issues found" in done.stdout
