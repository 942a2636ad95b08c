"""The description of a network: what it refuses, and its way to JSON and back."""

import json

import numpy as np
import pytest

from penstock.cells import CELLS
from penstock.errors import ConfigError
from penstock.network import ClassHead, Embedding, Network, Numbers, Recurrent


def a_network(**encoder):
    return Network(
        inputs=Embedding(vocabulary_size=50, size=6),
        encoder=Recurrent(**({"cell": "lstm", "input_size": 6, "hidden_size": 5} | encoder)),
        head=ClassHead(classes=3, pooling="mean_max"),
    )


def test_json_holds_the_whole_description():
    network = a_network(cell="lstm", num_layers=2, bidirectional=True, proj_size=3, peephole=True)
    assert Network.from_json(json.loads(json.dumps(network.to_json()))) == network
    assert network.to_json()["inputs"] == {"kind": "embedding", "vocabulary_size": 50, "size": 6}


@pytest.mark.parametrize("cell", sorted(CELLS))
def test_every_cell_round_trips_with_its_own_options(cell):
    network = a_network(cell=cell)
    assert Network.from_json(network.to_json()) == network
    assert network.encoder.options == {name: each.default for name, each in CELLS[cell].options.items()}


def test_old_descriptions_may_leave_out_what_has_a_default():
    data = a_network().to_json()
    for name in ("bias", "num_layers", "peephole"):
        del data["encoder"][name]
    assert Network.from_json(data) == a_network()


def test_a_description_names_the_options_of_its_own_cell_alone():
    described = a_network(cell="gru").to_json()["encoder"]
    assert {"reset_after": True}.items() <= described.items()
    assert not {"nonlinearity", "peephole", "proj_size", "options"} & set(described)


def test_old_descriptions_name_the_options_of_all_cells():
    data = a_network(cell="gru").to_json()
    data["encoder"] |= {"nonlinearity": "tanh", "peephole": False, "proj_size": 0}
    assert Network.from_json(data) == a_network(cell="gru")
    data["encoder"]["peephole"] = True
    with pytest.raises(ConfigError, match="peephole=True is not an option of the cell 'gru'"):
        Network.from_json(data)


def test_fingerprints_are_over_what_descriptions_always_named():
    identity = Recurrent(cell="lstm", input_size=7, hidden_size=5, peephole=True).identity()
    assert repr(identity) == (
        "{'cell': 'lstm', 'input_size': 7, 'hidden_size': 5, 'num_layers': 1, 'bidirectional': False, 'bias': True, "
        "'nonlinearity': 'tanh', 'peephole': True, 'proj_size': 0, 'reset_after': True}"
    )


@pytest.mark.parametrize("cell", ["mgu", ["lstm"], None, 3])
def test_a_cell_that_is_not_registered_is_refused_by_name(cell):
    with pytest.raises(ConfigError, match=r"cell must be one of rnn, lstm, gru; got .*penstock\.cells\.register"):
        Network.from_json(changed("encoder", cell=cell, leak=3))


def test_numbers_of_numpy_become_plain():
    head = ClassHead(classes=np.int64(4))
    encoder = Recurrent(cell="gru", input_size=np.int32(6), hidden_size=5, bidirectional=np.True_)
    assert json.dumps([head.classes, encoder.input_size, encoder.bidirectional]) == "[4, 6, true]"


def test_sizes_follow_directions_and_projection():
    encoder = Recurrent(input_size=7, hidden_size=5, proj_size=3, bidirectional=True, num_layers=2)
    assert (encoder.output_size, encoder.layer_input_size(0), encoder.layer_input_size(1)) == (6, 7, 6)
    assert Recurrent(cell="gru", input_size=7, hidden_size=5).output_size == 5


def test_parameter_shapes_have_pytorch_names():
    shapes = a_network(num_layers=2, bidirectional=True, proj_size=2, peephole=True).parameter_shapes()
    assert shapes["inputs.weight"] == (50, 6)
    assert shapes["encoder.weight_ih_l0"] == (20, 6)
    assert shapes["encoder.weight_ih_l1_reverse"] == (20, 4)
    assert shapes["encoder.weight_hh_l0"] == (20, 2)
    assert shapes["encoder.weight_hr_l1"] == (2, 5)
    assert shapes["encoder.weight_ch_l1_reverse"] == (3, 5)
    assert shapes["head.weight"] == (3, 8)
    assert shapes["head.bias"] == (3,)
    assert len(shapes) == 1 + 4 * 6 + 2


def test_parameter_shapes_without_bias_or_embedding():
    network = Network(
        inputs=Numbers(size=4),
        encoder=Recurrent(cell="rnn", input_size=4, hidden_size=3, bias=False, nonlinearity="relu"),
        head=ClassHead(classes=2, pooling="last"),
    )
    assert set(network.parameter_shapes()) == {
        "encoder.weight_ih_l0",
        "encoder.weight_hh_l0",
        "head.weight",
        "head.bias",
    }


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: a_network(cell="lstmm"), "lstm"),
        (lambda: a_network(hidden_size=0), "hidden_size must be a whole number, at least 1; got 0"),
        (lambda: a_network(hidden_size=2.5), "hidden_size .* got 2.5"),
        (lambda: a_network(num_layers=True), "num_layers .* got True"),
        (lambda: a_network(bidirectional=1), "bidirectional must be True or False; got 1"),
        (lambda: a_network(proj_size=5), "proj_size must be smaller than hidden_size=5; got 5"),
        (lambda: a_network(cell="gru", peephole=True), "peephole=True is not an option of the cell 'gru'"),
        (lambda: a_network(nonlinearity="relu"), "nonlinearity='relu' is not an option of the cell 'lstm'"),
        (
            lambda: a_network(cell="rnn", nonlinearity="gelu"),
            "nonlinearity must be 'tanh' or 'relu'; got 'gelu'",
        ),
        (lambda: a_network(input_size=7), "size of the inputs; got 7 and 6"),
        (lambda: ClassHead(classes=1), "at least 2; got 1"),
        (lambda: ClassHead(classes=2, pooling="sum"), "last, mean, max, mean_max; got 'sum'"),
        (lambda: Embedding(vocabulary_size="9", size=2), "vocabulary_size .* got '9'"),
        (
            lambda: Network(Embedding(9, 2), None, ClassHead(2)),
            "encoder must be described by one of Recurrent; got N",
        ),
    ],
)
def test_nonsense_is_refused_when_it_is_made(make, message):
    with pytest.raises(ConfigError, match=message):
        make()


def changed(part, **values):
    data = a_network().to_json()
    data[part] |= values
    return data


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([1, 2], "a network must be a JSON object"),
        ({"inputs": {}, "head": {}}, "a network lacks encoder"),
        (a_network().to_json() | {"tail": {}}, "a network has no tail; it has encoder, head, inputs"),
        (a_network().to_json() | {"head": "class"}, "head must be a JSON object"),
        (changed("head", kind="crf"), "head: kind must be one of class, .*; got 'crf'.*newer"),
        (changed("inputs", kind=["embedding"]), "inputs: kind must be one of embedding, numbers"),
        (changed("encoder", hiden_size=3), "kind 'recurrent' has no hiden_size; it has .*hidden_size"),
        (changed("inputs", size="6"), "size must be a whole number"),
        (
            {**a_network().to_json(), "inputs": {"kind": "embedding", "size": 3}},
            "inputs of kind 'embedding' lacks vocabulary_size",
        ),
    ],
)
def test_a_wrong_description_says_what_is_wrong(data, message):
    with pytest.raises(ConfigError, match=message):
        Network.from_json(data)


def test_zoneout_is_named_only_where_there_is_some():
    """Descriptions and fingerprints of networks without it are what they were before it existed."""
    without = Recurrent(cell="lstm", input_size=7, hidden_size=5, zoneout=0.0)
    assert without == Recurrent(cell="lstm", input_size=7, hidden_size=5)
    assert "zoneout" not in without.arguments() | without.identity()
    some = a_network(cell="lstm", zoneout=(0.05, 0.5))
    assert some.to_json()["encoder"]["zoneout"] == [0.05, 0.5]
    assert some.identity()["encoder"]["zoneout"] == [0.05, 0.5]
    assert Network.from_json(json.loads(json.dumps(some.to_json()))) == some
    assert a_network(cell="gru", zoneout=0.25).to_json()["encoder"]["zoneout"] == 0.25
