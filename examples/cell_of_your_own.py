"""A cell of your own: the minimal gated unit (Zhou et al. 2016, arXiv:1603.09420), a GRU whose two gates are one.

f = sigmoid(W_if x + b_if + W_hf h + b_hf)
n = tanh(W_in x + b_in + W_hn (f * h) + b_hn)
h' = (1 - f) * h + f * n

Estimators, streams and `penstock.nn` need only its equations; docs/cells/of-your-own.md describes how to make it fast.
"""

import tempfile

import numpy as np

import penstock
from penstock import cells
from penstock.cells.arithmetic import affine, sigmoid, split, tanh


def parameter_shapes(input_size, hidden_size, bias=True):
    """Return the shapes: one block of rows per gate, in the order of the cell's gate names."""
    rows = 2 * hidden_size
    shapes = {"weight_ih": (rows, input_size), "weight_hh": (rows, hidden_size)}
    return shapes | ({"bias_ih": (rows,), "bias_hh": (rows,)} if bias else {})


def step(x, state, parameters):
    """Map x (..., input) and state (h,) with h (..., hidden) to (h',), for NumPy arrays and PyTorch tensors."""
    (h,) = state
    units = h.shape[-1]
    weight, bias = parameters["weight_hh"], parameters.get("bias_hh")
    bias_f, bias_n = (None, None) if bias is None else (bias[:units], bias[units:])
    input_f, input_n = split(affine(x, parameters["weight_ih"], parameters.get("bias_ih")), 2)
    f = sigmoid(input_f + affine(h, weight[:units, :], bias_f))
    n = tanh(input_n + affine(f * h, weight[units:, :], bias_n))
    return ((1 - f) * h + f * n,)


MGU = cells.register(
    cells.Cell(
        name="mgu",
        source="Zhou et al. 2016",
        gates=("forget", "candidate"),
        states=("h",),
        parameter_shapes=parameter_shapes,
        step=step,
    )
)

if __name__ == "__main__":
    texts = ["good food", "lovely rooms", "kind staff", "bad food", "dirty rooms", "rude staff"] * 20
    labels = ["good", "good", "good", "bad", "bad", "bad"] * 20
    classifier = penstock.TextClassifier(cell="mgu", hidden_size=16, epochs=5).fit(texts, labels)

    with tempfile.TemporaryDirectory() as folder:
        model = penstock.load(classifier.save(f"{folder}/model"))  # from here on, PyTorch is not used
        stream = model.stream()
        for piece in ("lovely rooms", "kind staff"):
            print(piece, stream.push(piece))
        whole = model.predict_proba(["lovely rooms\nkind staff"])[0]
        assert np.array_equal(list(stream.finish().values()), whole)  # bit-identical to the stream
        assert model.predict(["lovely staff"]) == ["good"]
