"""Timing side by side: what is measured, what is refused, and that every peer computes the same thing."""

import json
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec

import numpy as np
import pytest

from penstock.bench import GRIDS, PEERS, Measured, Point, summary
from penstock.bench.floor import floor_seconds
from penstock.bench.peers import load
from penstock.bench.workload import make_workload
from penstock.engine import limits
from penstock.errors import ConfigError, PenstockError

room = __import__("penstock.bench.measure", fromlist=["_point"])
SMALL = [
    Point(cell, what, batch, time, 12, size)
    for cell in ("rnn", "lstm", "gru")
    for what, batch, time, size in (("step", 1, 1, 12), ("infer", 2, 5, 7))
]


class Fake:
    """A side that answers what it is told to."""

    def __init__(self, error, seconds, why=""):
        self.error, self.seconds, self.why, self.asked = error, seconds, why, []

    def ask(self, what, *rest):
        self.asked.append(what)
        return (self.error, self.why) if what == "prepare" else self.seconds


def test_the_core_grid_has_48_points_and_no_grid_has_one_twice():
    assert len(list(GRIDS["core"]())) == 48
    for make in GRIDS.values():
        names = [point.name for point in make()]
        assert len(set(names)) == len(names) >= 6


@pytest.mark.parametrize("name", [name for name in PEERS if name not in ("jax", "keras")])
@pytest.mark.parametrize("point", SMALL, ids=lambda point: point.name)
def test_every_peer_computes_the_equations(name, point):
    if not find_spec(PEERS[name]):
        pytest.skip(f"{PEERS[name]} is not installed")
    workload = make_workload(point)
    call, outputs = load(name).prepare(workload)
    assert workload.error(outputs) < 1e-5  # float32's rounding
    call()
    assert workload.error(outputs + 1) > 0.9


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("name", ["nn", "frozen", "torch"])
def test_ragged_and_training_problems_are_checked_too(name, cell):
    ragged = make_workload(Point(cell, "infer", 4, 6, 5, 5, ragged=True))
    assert ragged.lengths[0] == 6
    assert ragged.error(load(name).prepare(ragged)[1]) < 1e-5
    call, outputs = load(name).prepare(make_workload(Point(cell, "train", 3, 4, 5, 6)))
    assert outputs is None
    assert len(call()) == 5


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("more", [{"directions": 2}, {"layers": 2}, {"directions": 2, "layers": 2, "ragged": True}])
def test_directions_and_layers(cell, more):
    point = Point(cell, "infer", 3, 4, 5, 6, **more)
    workload = make_workload(point)
    assert workload.error(load("nn").prepare(workload)[1]) < 1e-5
    assert workload.error(load("torch").prepare(workload)[1]) < 1e-5
    gradients = load("nn").prepare(make_workload(Point(cell, "train", 3, 4, 5, 6, **more)))[0]()
    assert len(gradients) == 1 + 4 * point.directions * point.layers
    products = [
        weights["weight_ih"].size + weights["weight_hh"].size for layer in workload.all_weights for weights in layer
    ]
    steps = 3 * 4 * (0.5 + 0.5 / 4 if point.ragged else 1)
    assert point.flops == 2 * steps * sum(products)
    with pytest.raises(NotImplementedError, match="one unidirectional layer"):
        load("penstock").prepare(make_workload(Point(cell, "step", 1, 1, 5, 6, **more)))


def test_ratios_are_by_round_and_the_best_peer_is_the_fastest(monkeypatch):
    monkeypatch.setattr(room, "floor_seconds", lambda point, threads: 0.25)
    sides = {"penstock": Fake(0.0, 1.0), "a": Fake(0.0, 3.0), "b": Fake(None, 2.0), "c": Fake(None, 0, "can't")}
    found = room._point(SMALL[0], sides, "penstock", 3, 0.01, 1)
    assert found.ratios == {"a": (3.0, 3.0, 3.0), "b": (2.0, 2.0, 2.0)}
    assert found.best_peer == "b"
    assert found.share == 0.25
    assert found.left_out == {"c": "can't"}
    assert sides["a"].asked == ["prepare"] + ["time"] * 8  # a first round is thrown away
    assert json.loads(json.dumps(found.row()))["name"] == SMALL[0].name


def test_operations_for_each_byte_grow_with_the_rows():
    assert Point("lstm", "step", 1, 1, 6, 7).intensity == 0.5  # a multiply and an add for each weight of 4 bytes
    assert Point("lstm", "infer", 32, 9, 6, 6).intensity == 2 * Point("lstm", "infer", 16, 5, 6, 6).intensity == 32


@pytest.mark.parametrize(
    ("point", "seconds"),
    [
        (Point("gru", "infer", 8, 5, 6, 7), 2 * 8 * 5 * 18 * 13 / 1e9),
        (Point("gru", "step", 1, 1, 6, 7), 4 * 18 * 13 / 1e8),
        (Point("gru", "infer", 1, 5, 6, 7), 5 * (4 * 18 * 6 / 1e8 + 2 * 18 * 7 / 1e9)),
        (Point("gru", "train", 1, 5, 6, 7), 5 * (2 * 4 * 18 * 6 / 1e8 + 2 * (18 * 6 + 3 * 18 * 7) / 1e9)),
    ],
    ids=lambda each: getattr(each, "name", ""),
)
def test_the_floor_is_multiply_adds_and_for_one_row_reading_what_each_step_must(monkeypatch, point, seconds):
    monkeypatch.setattr(limits, "flops_per_second", lambda threads: 1e9)
    monkeypatch.setattr(limits, "read_seconds", lambda size, threads: size / 1e8)
    assert floor_seconds(point, 2) == pytest.approx(seconds)


def test_a_point_whose_outputs_are_wrong_is_not_reported():
    with pytest.raises(PenstockError, match=r"rnn-step.*is not reported: its outputs differ by 1.0e-02"):
        room._point(SMALL[0], {"penstock": Fake(0.01, 1.0)}, "penstock", 1, 0.01, 1)
    found = room._point(SMALL[0], {"penstock": Fake(0.0, 1.0), "a": Fake(float("nan"), 1.0)}, "penstock", 1, 0.01, 1)
    assert "a" in found.left_out


def test_unknown_peers_are_named_with_those_there_are():
    with pytest.raises(ConfigError, match=r"a peer must be one of penstock, nn, frozen, torch.*got 'tourch'"):
        load("tourch")


@pytest.mark.slow
def test_the_command_continues_where_it_stopped(penstock, tmp_path, monkeypatch):
    monkeypatch.setitem(GRIDS, "quick", lambda: iter(SMALL[:2]))
    path, plot = tmp_path / "bench.json", tmp_path / "bench.html"
    words = ("bench", "--peers", "torch", "--threads", 1, "--rounds", 1, "--seconds", 0.001, "--json", path)
    first = penstock(*words, "--cells", "rnn", "--plot", plot)
    assert first.code == 0
    assert "rnn-infer-B2-T5-H12-I7" in first.out
    assert "| step | RNN | 1 |" in first.out
    rows = json.loads(path.read_text())["rows"]
    assert [row["name"] for row in rows] == [point.name for point in SMALL[:2]]
    assert all(row["share"] > 0 for row in rows)
    assert all(set(row["seconds"]) == {"penstock", "torch"} and row["ratios"]["torch"][1] > 0 for row in rows)
    drawn = plot.read_text()
    assert "time relative to Penstock" in drawn
    assert "rnn infer: roofline" in drawn
    assert "machine limit" in drawn
    again = penstock(*words)
    assert "2 points, 2 measured before" in again.out
    path.write_text("[]")
    assert penstock(*words).code == 2
    assert penstock("bench", "--grid", "corr").code == 2
    unknown = penstock("bench", "--peers", "torch,tourch")
    assert unknown.code == 2
    assert "--peers must be among those that are installed: nn, frozen, torch" in unknown.err
    assert penstock("bench", "--cells", "gruu").code == 2


def test_a_summary_has_the_least_and_the_geometric_mean():
    def row(share, ratios, **point):
        return Measured(Point("gru", **point), {"penstock": 1.0}, ratios, share, {}).row()

    batch = {"what": "infer", "batch": 32, "time": 5, "hidden": 4, "input": 4}
    rows = [
        row(0.5, {"a": (0, 2.0, 9), "b": (0, 8.0, 9)}, **batch),
        row(0.25, {"a": (0, 8.0, 9), "b": (0, 4.0, 9)}, **batch),
        row(0.75, {"a": (0, 3.0, 9)}, **batch | {"batch": 1, "directions": 2}),
    ]
    assert list(summary(rows, ["a", "b", "c"])) == [
        "| kind | cell | points | share of the floor | a: least, mean | b: least, mean | the fastest |",
        "|---|---|---|---|---|---|---|",
        "| infer, batch 1, both directions | GRU | 1 | 75%–75% | 3.00, 3.00 | – | 3.00, 3.00 |",
        "| infer, batch 8 and more | GRU | 2 | 25%–50% | 2.00, 4.00 | 4.00, 5.66 | 2.00, 2.83 |",
    ]


def test_limits_are_those_of_a_machine():
    assert 1e9 < limits.flops_per_second() < 1e13
    assert 0 < limits.read_seconds(65536) < 0.01
    assert np.isfinite(limits.read_seconds(1 << 20, 2))


def test_a_process_that_ends_is_reported_and_not_waited_for():
    with ThreadPoolExecutor(1) as one, pytest.raises(PenstockError, match="the process of nobody ended"):
        one.submit(room.Side, "nobody", 1).result(timeout=60)
