"""Work on three nodes of a Ray cluster, all on this machine: a worker is killed, then the node of a worker."""

import asyncio
import socket
import sys
import threading
import warnings
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
from small_jobs import WORDS, FragileModel, Watched, language, model

from penstock import TextClassifier
from penstock.distributed.cluster import connection
from penstock.distributed.prediction import answers
from penstock.distributed.training import train
from penstock.errors import ConfigError, DataError, MissingExtraError
from penstock.training import Checkpoint

pytestmark = pytest.mark.filterwarnings("default")  # Ray's own


@pytest.mark.slow
def test_neither_a_killed_worker_nor_a_killed_node_changes_a_bit_of_a_training(address, tmp_path):
    expected = language(output_dropout=0.5)
    train(expected, 2)
    ends = {8: tmp_path / "killed", 3: tmp_path / "killed with its node"}
    job = replace(language(ends, output_dropout=0.5), checkpoint=Checkpoint(tmp_path / "state", "a", every_steps=1))
    watched = Watched()
    assert train(job, 2, address, [watched]).stopped == "finished"
    assert all(path.exists() for path in (*ends.values(), tmp_path / "state"))
    assert ([number for number, _, _ in watched.epochs], watched.ends) == ([1, 2, 3], ["finished"])
    for name, weights in expected.module.state_dict().items():
        np.testing.assert_array_equal(job.module.state_dict()[name], weights)


@pytest.mark.slow
def test_nor_a_prediction(address, tmp_path):
    several = [[f"{word} w1", word] for word in WORDS]
    ends = {"w3": tmp_path / "killed", "w11": tmp_path / "killed with its node"}
    found = answers(FragileModel(model(), ends), several, {}, 2, address)
    assert list(found) == [list(model().answers(texts)) for texts in several]
    assert all(path.exists() for path in ends.values())
    with pytest.raises(DataError, match="text"):
        list(answers(model(), [[3]], {}, 1, address))


def fitted(**options):
    return TextClassifier(**options).fit(["a", "b"] * 9, ["x", "y"] * 9)


def test_without_ray_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"penstock\[ray\]"):
        fitted(on="auto")


def test_an_address_that_nobody_answers_at_is_refused_before_the_training(monkeypatch):
    monkeypatch.setattr(connection, "imported", lambda: None)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        with pytest.raises(ConfigError, match=f"no Ray cluster answers at ray://127.0.0.1:{port}: Connection refused"):
            fitted(workers=2, on=f"ray://127.0.0.1:{port}")
    for address in ("cluster", "http://cluster:80", "ray://"):
        with pytest.raises(ConfigError, match="on must be"):
            fitted(workers=2, on=address)


@contextmanager
def answering(reply):
    """A server on this machine that sends this to whoever connects: its port."""

    async def greet(reader, writer):
        await reader.read(100)
        writer.write(reply)
        await writer.drain()
        writer.close()

    async def start():
        return await asyncio.start_server(greet, "127.0.0.1", 0)

    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(start())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


SETTINGS = bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])


@pytest.mark.parametrize("scheme", ["", "ray://"])
@pytest.mark.parametrize("reply", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"", SETTINGS[:5], SETTINGS])
def test_what_is_no_ray_cluster_is_refused_at_once(monkeypatch, scheme, reply):
    monkeypatch.setattr(connection, "imported", lambda: None)
    with answering(reply) as port:
        address = f"{scheme}127.0.0.1:{port}"
        if reply == SETTINGS:
            assert connection.check_address(address) is None
        else:
            with pytest.raises(ConfigError, match=f"what answers at {address} is no Ray cluster"):
                connection.check_address(address)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            RuntimeError("Version mismatch:\n  Ray: 2.9\n  Python: 3.9"),
            "joined: Version mismatch: Ray: 2.9 Python: 3.9$",
        ),
        (ConnectionError("ray client connection timeout"), "set RAY_AUTH_MODE=token"),
        (Exception("The current node timed out during startup"), "joined: The current node timed out during startup$"),
        (TimeoutError(), "joined: TimeoutError$"),
        (
            RuntimeError("failed: Traceback (most recent call last):\n  File x\nOSError: no room\n"),
            "joined: OSError: no room$",
        ),
        (RuntimeError("x" * 10_000 + " the reason"), r"joined: \.\.\. x{589} the reason$"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_ray_raises_as_it_starts_is_one_error(error, words):
    class Ray:
        def is_initialized(self):
            return False

        def init(self, *_, **__):
            warnings.warn_explicit("the same", UserWarning, "worker.py", 1, module="ray.util.client.worker")
            raise error

    warnings.simplefilter("error")  # within this test
    with pytest.raises(ConfigError, match=words) as caught, connection.connected(Ray(), "somewhere:6379"):
        raise AssertionError("it is not reached")
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("failures", [0, 2, 3])
def test_a_client_whose_process_did_not_start_is_tried_again(failures):
    class Ray:
        calls = 0

        def is_initialized(self):
            return False

        def init(self, *_, **__):
            self.calls += 1
            if self.calls <= failures:
                raise ConnectionAbortedError("Initialization failure from server:\nit ended")

        def shutdown(self):
            pass

    ray = Ray()
    if failures == 3:
        with pytest.raises(ConfigError, match="it ended"), connection.connected(ray, "ray://somewhere:10001"):
            raise AssertionError("it is not reached")
    else:
        with connection.connected(ray, "ray://somewhere:10001"):
            pass
    assert ray.calls == min(failures + 1, 3)
