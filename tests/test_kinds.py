"""The table of kinds: each row is whole, and what a row lacks is said by name."""

import subprocess
import sys
from dataclasses import dataclass, is_dataclass, replace

import pytest

from penstock.errors import ConfigError
from penstock.forecast.spec import ForecastHead, Segments
from penstock.network import KINDS, POOLED, ClassHead, Embedding, Kind, Network, Numbers, Recurrent, register
from penstock.network.kinds import kind_of

ROWS = [kind for kinds in KINDS.values() for kind in kinds.values()]


@dataclass(frozen=True)
class Gate:
    """A kind of head that no other module knows."""

    kind = "gate"
    outputs: int = 1

    def parameter_shapes(self, output_size):
        return {"weight": (self.outputs, output_size)}


GATE = Kind(part="head", name="gate", spec=Gate, torch="nowhere:Module", runtime="nowhere:Readout", wiring=POOLED)


@pytest.fixture
def forget():
    """The table as it was, after the test."""
    before = {part: dict(kinds) for part, kinds in KINDS.items()}
    yield
    for part, kinds in before.items():
        KINDS[part].clear()
        KINDS[part].update(kinds)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.part}-{row.name}")
def test_every_row_is_whole(row):
    assert is_dataclass(row.side("spec"))
    assert row.side("spec").kind == row.name
    assert all(callable(row.side(side)) for side in ("torch", "runtime"))
    row.check()
    if row.part == "head":
        assert all(callable(row.wiring.side(side)) for side in ("torch", "runtime"))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.part}-{row.name}")
def test_every_kind_is_exported_by_itself_or_with_its_wiring(row):
    assert callable((row if row.export is not None else row.wiring).side("export"))


def test_a_missing_export_is_said_by_name():
    network = Network(Numbers(2), Recurrent(input_size=2, hidden_size=3), ClassHead(2))
    with pytest.raises(ConfigError, match="the wiring 'pooled' has no export side, so nothing can export it"):
        network.wiring.side("export")


@pytest.mark.usefixtures("forget")
@pytest.mark.parametrize(
    ("lacks", "message"),
    [
        (
            {"torch": None},
            r"head of kind 'gate' has no torch side, so nothing can train it in PyTorch. .*torch='module:",
        ),
        ({"runtime": None}, "head of kind 'gate' has no runtime side, so nothing can predict with it on the engine"),
        ({"wiring": None}, "head of kind 'gate' must have a wiring"),
        ({"wiring": replace(POOLED, runtime=None)}, "the wiring 'pooled' has no runtime side"),
    ],
)
def test_a_network_of_a_kind_that_lacks_a_side_is_refused_when_it_is_made(lacks, message):
    register(replace(GATE, **lacks))
    with pytest.raises(ConfigError, match=message):
        Network(Numbers(2), Recurrent(input_size=2, hidden_size=3), Gate())
    described = {"inputs": {"kind": "numbers", "size": 2}, "head": {"kind": "gate"}}
    described["encoder"] = {"kind": "recurrent", "input_size": 2, "hidden_size": 3}
    with pytest.raises(ConfigError, match=message):
        Network.from_json(described)


@pytest.mark.usefixtures("forget")
def test_a_kind_of_another_package_is_one_row():
    encoder = Recurrent(input_size=2, hidden_size=3)
    with pytest.raises(ConfigError, match=r"head must be described by one of ClassHead, .*; got Gate\(outputs=1\)"):
        Network(Numbers(2), encoder, Gate())
    register(GATE)
    register(GATE)  # the same once more changes nothing
    network = Network(Numbers(2), encoder, Gate(2))
    assert Network.from_json(network.to_json()) == network
    assert network.parameter_shapes()["head.weight"] == (2, 3)
    with pytest.raises(ConfigError, match="'nowhere:Module': there is no module nowhere"):
        network.sides("torch")
    with pytest.raises(ConfigError, match="head of kind 'gate' is registered already"):
        register(replace(GATE, runtime="elsewhere:Readout"))


def test_inputs_that_read_the_number_of_a_series_and_heads_go_together():
    encoder = Recurrent(input_size=2, hidden_size=3)
    with pytest.raises(
        ConfigError, match=r"'class' has the wiring 'pooled', which cannot have inputs .* got inputs of kind 'segm"
    ):
        Network(Segments(1, 2, 2), encoder, ClassHead(2))
    with pytest.raises(
        ConfigError, match=r"'forecast' has the wiring 'carried', which needs inputs .* kind 'embedding'"
    ):
        Network(Embedding(9, 2), encoder, ForecastHead(3))


def test_a_class_with_only_the_name_of_a_kind_is_refused():
    @dataclass(frozen=True)
    class Other:
        kind = "class"

    with pytest.raises(ConfigError, match="head must be described by one of ClassHead"):
        kind_of("head", Other())


def test_the_table_imports_no_side():
    code = (
        "import sys, penstock.network as n; n.Network(n.Numbers(2), n.Recurrent(input_size=2, hidden_size=3), "
        "n.ClassHead(2)); print([m for m in sys.modules if m.startswith(('torch', 'penstock.heads', "
        "'penstock.runtime', 'penstock.engine'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
