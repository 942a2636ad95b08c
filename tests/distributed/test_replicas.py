"""Served models on Ray Serve: a replica is killed, then the node of a replica, and streams go on with the same bits."""

import asyncio
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from small_jobs import WORDS, FragileReplica, model

import penstock
from penstock import bundle
from penstock.distributed.cluster import connection, lease, replicas
from penstock.distributed.cluster.connection import connected, imported
from penstock.distributed.cluster.replicas import replicas_on
from penstock.distributed.parcels import packed
from penstock.errors import BundleError, ConfigError, MissingExtraError, WorkerError
from penstock.server.replicas import Replica, ReplicatedBackend
from penstock.server.run import serve
from penstock.server.settings import ServerSettings

pytestmark = pytest.mark.filterwarnings("default")  # Ray's own

STREAMS = 4


def alone():
    """What a stream answers that nothing happens to."""
    stream = model().stream()
    return [{"item": n, "answer": stream.as_json(stream.push(word))} for n, word in enumerate(WORDS, 1)]


@pytest.mark.slow
def test_neither_a_killed_replica_nor_a_killed_node_changes_a_bit_of_a_stream(address, tmp_path):
    ends = {"w3": tmp_path / "killed", "w8": tmp_path / "answered, then killed", "w13": tmp_path / "killed with node"}
    content = packed(FragileReplica, ({"words": model()}, ends))

    async def streamed(backend):
        reader = await backend.open()
        replies = [json.loads((await reader.reply(json.dumps({"push": word}))).text) for word in WORDS]
        await reader.close()
        return replies

    async def all_streamed(backend):
        rows = backend.answers(["w1 w2", "w3"], {}, long=False)
        return await asyncio.gather(rows, *(streamed(backend) for _ in range(STREAMS)))

    with replicas_on(address, "test", content, 2, 100) as asked:
        rows, *found = asyncio.run(all_streamed(ReplicatedBackend("words", asked)))
    assert found == [alone()] * STREAMS
    assert json.loads(rows) == list(model().answers(["w1 w2", "w3"]))
    assert all(path.exists() for path in ends.values())
    ray = imported()
    with connected(ray, address):
        until(lambda: not ray.util.list_named_actors(all_namespaces=True))
        with pytest.raises(ConfigError, match=r"replicas must be at most the cluster's CPUs, \d; got 9"):
            replicas_on(address, "test", content, 9, 100).__enter__()


def processes(root):
    """The processes that a process has started, and those that these have, by id: their names."""
    parents, names = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            names[int(folder.name)] = (folder / "cmdline").read_text().rstrip("\0")
        except FileNotFoundError:  # it has ended
            continue
        parents[int(folder.name)] = int(fields[1]) if fields[0] != "Z" else 0
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return {pid: names[pid] for pid in found[1:]}


def replicas_of(server):
    return [pid for pid, name in processes(server.pid).items() if name.startswith("ray::") and "ServeReplica" in name]


def until(condition, seconds=300):
    """Wait until there is something, and return it."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it does not come"
        time.sleep(0.2)
    return found


@pytest.fixture
def server(tmp_path):
    """A server with two replicas, on a Ray of its own; stopped by SIGTERM."""
    if importlib.util.find_spec("ray") is None:
        pytest.skip("needs Ray: pip install 'penstock[ray]'")
    saved = model()
    bundle.save(tmp_path / "words", saved.network, saved.features.to_json(), saved.labels, saved.tensors)
    command = [sys.executable, "-m", "penstock", "serve", tmp_path / "words", "--port", "0", "--replicas", "2"]
    command += ["--deadline-seconds", "300"]  # a new replica takes some seconds, on a busy machine a minute
    log = tmp_path / "log"
    with log.open("w") as lines:
        process = subprocess.Popen(command, stderr=lines, env={**os.environ, "PENSTOCK_NUM_THREADS": "1"})
    try:
        process.url = until(lambda: "it ended" if process.poll() is not None else ready(log))
        assert process.url.startswith("http"), log.read_text()
        yield process
        started = processes(process.pid)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        until(lambda: not [pid for pid in started if Path(f"/proc/{pid}").exists()])
    finally:
        process.kill()
        process.wait()


def ready(log):
    """The address in the log, once it is there."""
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith('{"time')]
    return next((line["url"] for line in lines if line["event"] == "ready"), None)


@pytest.mark.slow
def test_the_command_goes_on_while_replicas_are_killed_one_after_the_other(server):
    first = until(lambda: len(found := replicas_of(server)) == 2 and found)

    async def use(client):
        streams = [await client.stream("words") for _ in range(STREAMS)]
        found = [[] for _ in streams]
        for number, word in enumerate(WORDS):
            if number in (5, 12):
                os.kill(until(lambda: replicas_of(server))[0], signal.SIGKILL)
            pushed = await asyncio.gather(*(stream.push(word) for stream in streams), predicted(client))
            for answers, answer in zip(found, pushed[:-1], strict=True):
                answers.append({"item": len(answers) + 1, "answer": answer})
        for stream in streams:
            await stream.close()
        return found

    with penstock.Client(server.url, timeout=300) as client:
        assert asyncio.run(use(client)) == [alone()] * STREAMS
        assert client.attribute("words", "w1 w2")["method"] == "occlusion"
        until(lambda: len(now := replicas_of(server)) == 2 and not {*now} & {first[0]})


async def predicted(client):
    assert await asyncio.to_thread(client.predict, "words", ["w1 w2"]) == list(model().answers(["w1 w2"]))


SHORT_LEASE = """
import sys
from penstock.cli import main
from penstock.distributed.cluster import lease
lease.SECONDS, lease.BETWEEN = 5.0, 0.5
sys.argv[:1] = ["penstock"]
main()
"""


@pytest.mark.slow
def test_replicas_end_by_themselves_when_their_server_is_killed(address, tmp_path):
    saved = model()
    bundle.save(tmp_path / "words", saved.network, saved.features.to_json(), saved.labels, saved.tensors)
    command = [sys.executable, "-c", SHORT_LEASE, "serve", tmp_path / "words", "--port", "0", "--on", address]
    ray, log = imported(), tmp_path / "log"
    with connected(ray, address), log.open("w") as lines:
        process = subprocess.Popen(command, stderr=lines, env={**os.environ, "PENSTOCK_NUM_THREADS": "1"})
        try:
            url = until(lambda: "it ended" if process.poll() is not None else ready(log))
            assert url.startswith("http"), log.read_text()
            time.sleep(6)  # longer than the lease, which is renewed
            with penstock.Client(url, timeout=300) as client:
                assert client.predict("words", ["w1 w2"]) == list(model().answers(["w1 w2"]))
            assert ray.util.list_named_actors(all_namespaces=True)
        finally:
            process.kill()
            process.wait()
        until(lambda: not ray.util.list_named_actors(all_namespaces=True))


@pytest.mark.slow
def test_a_lease_that_lapsed_while_the_server_lives_is_made_again(address, monkeypatch):
    monkeypatch.setattr(lease, "BETWEEN", 0.2)
    content = packed(Replica, ({"words": model()}, 8, 8))
    ray = imported()

    def answered(backend):
        try:
            return json.loads(asyncio.run(backend.answers(["w1 w2"], {}, long=False)))
        except WorkerError:
            return None

    with replicas_on(address, "lapsing", content, 1, 100) as asked:
        backend = ReplicatedBackend("words", asked)
        assert answered(backend) == list(model().answers(["w1 w2"]))
        first = ray.get_actor("lapsing-lease", namespace="penstock")
        lease.end("lapsing")  # as the lease does, when it lapses
        ray.kill(first)
        assert until(lambda: answered(backend)) == list(model().answers(["w1 w2"]))
        assert ray.get_actor("lapsing-lease", namespace="penstock") != first
    with connected(ray, address):
        until(lambda: not ray.util.list_named_actors(all_namespaces=True))


def test_what_can_not_be_is_refused_before_a_model_is_read(tmp_path, monkeypatch):
    absent = [str(tmp_path / "absent")]
    with pytest.raises(BundleError, match="absent"):
        serve(absent, ServerSettings())
    with monkeypatch.context() as patch:
        for module in (connection, replicas):
            patch.setattr(module, "imported", lambda *_: None)
        with pytest.raises(ConfigError, match="on must be"):
            serve(absent, ServerSettings(), on="http://cluster:80")
    for missing in (("ray", "ray.serve"), ("ray.serve",)):  # both, as an imported part is found without the whole
        with monkeypatch.context() as patch:
            for module in missing:
                patch.setitem(sys.modules, module, None)
            for wanted in ({"replicas": 2}, {"on": "auto"}):
                with pytest.raises(MissingExtraError, match=r"penstock\[ray\]"):
                    serve(absent, ServerSettings(), **wanted)
