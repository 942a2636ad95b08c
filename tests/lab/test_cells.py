"""The cells that run in the page give the engine's outputs and states, and read a text as the networks learned to."""

import json
import subprocess
from importlib.resources import files

import numpy as np
import pytest

from penstock.cells import find
from penstock.lab.arrays import exact, unpacked
from penstock.lab.building import source
from penstock.lab.compute.timing import clock
from penstock.runtime import Recurrence

HIDDEN, STEPS = 16, 200
# The page computes in 64-bit floats and the engine in 32-bit ones; 200 steps of rounding stay well below this.
CLOSE = {"rtol": 0, "atol": 1e-5}
CALL = """
import { readFileSync } from "node:fs";
import { course } from "./cells.mjs";
import { read } from "./reader.mjs";
import { unpackAll } from "./arrays.mjs";
import { clock } from "./timing.mjs";
const { what, arguments: given } = unpackAll(JSON.parse(readFileSync(0, "utf8")));
const tick = (data, interval, steps) => course("lstm", clock(data, interval, true), Array(steps).fill([0]));
const steps = { course, read, clock: tick }[what](...given);
console.log(JSON.stringify(steps, (_, value) => (value instanceof Float64Array ? [...value] : value)));
"""


@pytest.fixture(scope="module")
def run(node, tmp_path_factory):
    """A function that calls one of the page's functions in Node and returns its steps."""
    folder = tmp_path_factory.mktemp("modules")
    for path in [*(files("penstock") / "lab" / "page").iterdir(), *(files("penstock") / "server" / "page").iterdir()]:
        if path.name.endswith(".js"):
            source = path.read_text(encoding="utf-8").replace('.js";', '.mjs";')
            (folder / path.name.replace(".js", ".mjs")).write_text(source, encoding="utf-8")
    # These need a page; what is tested here does not use them.
    (folder / "language.mjs").write_text("export const words = String;", encoding="utf-8")
    (folder / "call.mjs").write_text(CALL, encoding="utf-8")

    def call(what, *arguments):
        given = json.dumps({"what": what, "arguments": arguments})
        done = subprocess.run([node, folder / "call.mjs"], input=given, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return call


def engine(cell, parameters, x):
    """Outputs (time, hidden) of the engine, and the traces of its steps."""
    named = {f"{name}_l0": value for name, value in parameters.items()}
    stream = Recurrence(named, cell=cell).stream()
    outputs, traces = zip(*(stream.trace(row) for row in x), strict=True)
    return np.array(outputs), [{name: value[0] for name, value in trace[0][0].items()} for trace in traces]


@pytest.mark.parametrize(
    ("cell", "options"), [("rnn", {}), ("lstm", {}), ("lstm", {"peephole": True}), ("gru", {})], ids=str
)
def test_the_page_computes_what_the_engine_does(run, cell, options):
    rng = np.random.default_rng(0)
    shapes = find(cell).parameter_shapes(6, HIDDEN, **options)
    parameters = {name: rng.uniform(-0.5, 0.5, shape).astype(np.float32) for name, shape in shapes.items()}
    x = rng.standard_normal((STEPS, 6)).astype(np.float32)
    outputs, traces = engine(cell, parameters, x)
    steps = run("course", cell, {name: exact(value) for name, value in parameters.items()}, x.tolist())
    np.testing.assert_allclose([step["h"] for step in steps], outputs, **CLOSE)
    for name in (*find(cell).gates, *find(cell).states) if cell != "rnn" else ():
        ours = "candidate" if name == "cell" else name
        np.testing.assert_allclose([step[ours] for step in steps], [trace[name] for trace in traces], **CLOSE)


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_a_typed_text_gives_the_engines_states_and_the_trained_answer(run, cell):
    brackets = json.loads(source("arrays.json"))["brackets"]
    text = "Ab 1 (c, d) e（漢字 。） f! ) g ( h" + 40 * "i" + ") j."
    kinds = {"(": "open", "（": "open", ")": "close", "）": "close", " ": "space", "1": "digit"} | dict.fromkeys(
        ",。!.", "mark"
    )
    x = np.eye(6, dtype=np.float32)[[brackets["classes"].index(kinds.get(c, "letter")) for c in text]]
    steps = run("read", brackets, cell, list(text))
    outputs, _ = engine(cell, {name: unpacked(w) for name, w in brackets[cell]["weights"].items()}, x)
    np.testing.assert_allclose([step["h"] for step in steps], outputs, **CLOSE)
    inside, is_open = [], False
    for character in text:
        is_open = kinds.get(character) == "open" or (is_open and kinds.get(character) != "close")
        inside.append(is_open)
    assert [step["open"] > 0.5 for step in steps] == inside


@pytest.mark.parametrize("interval", [3, 12, 40])
def test_the_clock_ticks_exactly_in_the_page_and_in_the_engine(run, interval):
    timing = json.loads(source("arrays.json"))["timing"]
    steps = run("clock", timing, interval, 200)
    outputs, traces = engine("lstm", clock(interval), np.zeros((200, 1), np.float32))
    np.testing.assert_allclose([step["h"] for step in steps], outputs, **CLOSE)
    np.testing.assert_allclose([step["c"] for step in steps], [trace["c"] for trace in traces], **CLOSE)
    ticks = np.flatnonzero(outputs[:, 0] > 0.5) + 1
    np.testing.assert_array_equal(ticks, np.arange(interval, 201, interval))
    assert np.delete(outputs[:, 0], ticks - 1).max() < 0.01
    blind = clock(interval) | {"weight_ch": np.zeros((3, 1), np.float32)}
    assert engine("lstm", blind, np.zeros((200, 1), np.float32))[0].max() < 0.01
