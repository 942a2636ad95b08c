"""Random networks for the tests of exports."""

import numpy as np

from penstock.convert.exporting.exported import NamedGraph
from penstock.network import (
    Add,
    Concatenate,
    Dense,
    Differs,
    GraphBuilder,
    Lookup,
    Multiply,
    Pointwise,
    Pool,
    Recurrent,
    RecurrentLayers,
    Reverse,
    Scale,
    Slice,
    Standardize,
    Value,
)
from penstock.network.operations import FUNCTIONS, OPERATIONS
from penstock.runtime import GraphModel

ABOUT = {"penstock": "0"}
POOLS = ("first", "last", "sum", "mean", "max")


def draw(shapes, random):
    return {name: random.normal(0, 0.5, shape).astype(np.float32) for name, shape in shapes.items()}


def exported(builder, *outputs):
    graph, tensors = builder.build(*outputs)
    return NamedGraph(graph, tensors, ABOUT)


def recurrent(operation, seed=0, *, pools=POOLS):
    """Layers on three numbers, each output, and each pool of them."""
    builder = GraphBuilder({"x": Value(3)})
    random = np.random.default_rng(seed)
    y = builder.add(operation, "x", **draw(operation.parameter_shapes(), random))
    return exported(builder, y, *(builder.add(Pool(over), y, name=f"its_{over}") for over in pools))


EXAMPLES = {
    "add": (Add(), [Value(4), Value(4), Value(4)]),
    "concatenate": (Concatenate(), [Value(4), Value(2)]),
    "dense": (Dense(2, 3, blocks=2), [Value(4)]),
    "differs": (Differs(3), [Value(7, ids=True)]),
    "lookup": (Lookup(7, 3), [Value(7, ids=True)]),
    "multiply": (Multiply(), [Value(4), Value(4)]),
    "pointwise": (Pointwise("tanh"), [Value(4)]),
    "pool": (Pool("max"), [Value(4)]),
    "recurrence": (RecurrentLayers(Recurrent(input_size=4, hidden_size=3)), [Value(4)]),
    "reverse": (Reverse(), [Value(4)]),
    "scale": (Scale(4), [Value(4)]),
    "slice": (Slice(1, 3), [Value(4)]),
    "standardize": (Standardize(), [Value(4)]),
}
"""An operation of each kind, and what it reads."""


def example(kind):
    assert kind in EXAMPLES, f"add an example of the operation {kind!r} to tests/convert/networks.py"
    operation, values = EXAMPLES[kind]
    builder = GraphBuilder({f"x{place}": value for place, value in enumerate(values)})
    names = [f"x{place}" for place in range(len(values))]
    return exported(
        builder, builder.add(operation, *names, **draw(operation.parameter_shapes(), np.random.default_rng(1)))
    )


def masked(layers, at_masked="repeat"):
    """Layers that leave out steps whose id is 0, and each masked pool of their outputs."""
    builder, random = GraphBuilder({"ids": Value(3, ids=True)}), np.random.default_rng(4)
    mask = builder.add(Differs(0), "ids")
    x = builder.add(Lookup(3, layers.input_size), "ids", weight=random.normal(size=(3, layers.input_size)))
    operation = RecurrentLayers(layers, masked=True, at_masked=at_masked)
    y = builder.add(operation, x, mask, **draw(operation.parameter_shapes(), random))
    pools = [builder.add(Pool(over, masked=True), y, mask, name=f"its_{over}") for over in POOLS]
    return exported(builder, y, *pools)


def functions():
    """Every function of `Pointwise`, beside each other."""
    builder = GraphBuilder({"x": Value(5)})
    squashed = builder.add(Pointwise("sigmoid"), "x")  # log and sqrt take positive numbers
    outputs = [
        builder.add(Pointwise(name), squashed if name in ("log", "sqrt") else "x", name=f"its_{name}")
        for name in FUNCTIONS
    ]
    return exported(builder, *outputs)


def model():
    """A small imported network with ids and numbers, an output of steps and one of the whole."""
    builder, random = GraphBuilder({"word": Value(5, ids=True), "level": Value(2)}), np.random.default_rng(2)
    word = builder.add(Lookup(5, 3), "word", weight=random.normal(size=(5, 3)))
    layers = RecurrentLayers(Recurrent(cell="gru", input_size=5, hidden_size=4), initial=True)
    y = builder.add(layers, builder.add(Concatenate(), word, "level"), **draw(layers.parameter_shapes(), random))
    return GraphModel(*builder.build(y, builder.add(Pointwise("softmax"), builder.add(Pool("mean"), y), name="kind")))


KINDS = tuple(OPERATIONS)
