"""Tokens generated one by one, on one thread: Penstock's stream, the usual loop in PyTorch, and ONNX Runtime's step.

    python benchmarks/speed/generate.py

All three draw from the same network with the same random weights: an embedding, LSTM layers, a linear layer and a
softmax; each token is read before the next is drawn. In PyTorch it is the loop of its tutorials, `nn.LSTM` and
`torch.multinomial` under `inference_mode`; in ONNX Runtime one session call for each token, and NumPy draws. Ways take
turns, and the figures are medians over the rounds.
"""

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper

from penstock import engine
from penstock.language.features import LanguageFeatures
from penstock.language.model import SequenceGenerator
from penstock.language.spec import NextTokenHead
from penstock.network import Embedding, Network, Recurrent
from penstock.tokens import CharTokens, WordTokens

TOKENS, ROUNDS = 300, 7
NETWORKS = {
    "characters, 1 x 128": (65, 64, 128, 1),
    "characters, 1 x 256": (65, 64, 256, 1),
    "characters, 1 x 512": (65, 64, 512, 1),
    "characters, 3 x 512": (65, 64, 512, 3),
    "words, 2 x 200": (10_000, 200, 200, 2),
}
"""Vocabulary, size of the embedding, hidden size, layers."""

Tensors = dict[str, np.ndarray]


def main() -> None:
    """Print tokens a second of each way, and the ratios."""
    engine.set_num_threads(1)
    torch.set_num_threads(1)
    print(f"PyTorch {torch.__version__}, ONNX Runtime {onnxruntime.__version__}, one thread")
    print("| network | Penstock tokens/s | PyTorch | ONNX Runtime | to PyTorch | to ONNX Runtime |")
    print("|---|---|---|---|---|---|")
    for name, sizes in NETWORKS.items():
        model = network(*sizes)
        ways = [penstock_stream(model), torch_loop(model), onnxruntime_step(model)]
        rounds = [[_seconds(way) for way in ways] for _ in range(ROUNDS + 1)][1:]  # the first one warms up
        speeds = [median(TOKENS / each[way] for each in rounds) for way in range(3)]
        ratios = [median(each[way] / each[0] for each in rounds) for way in (1, 2)]
        print(f"| {name} | {' | '.join(f'{speed:,.0f}' for speed in speeds)} | {ratios[0]:.1f} | {ratios[1]:.1f} |")


def network(vocabulary: int, embedding: int, hidden: int, layers: int) -> SequenceGenerator:
    """Return a model with random weights."""
    kind = CharTokens if vocabulary < 1000 else WordTokens
    names = [chr(0x4E00 + number) for number in range(vocabulary - 3)]
    recurrent = Recurrent(cell="lstm", input_size=embedding, hidden_size=hidden, num_layers=layers)
    described = Network(Embedding(vocabulary, embedding), recurrent, NextTokenHead(vocabulary))
    draw, bound = np.random.default_rng(0), hidden**-0.5
    shapes = described.parameter_shapes().items()
    tensors = {name: draw.uniform(-bound, bound, shape).astype(np.float32) for name, shape in shapes}
    return SequenceGenerator(described, LanguageFeatures(kind(names), ends=False, lines=False), [], tensors)


def penstock_stream(model: SequenceGenerator) -> Callable[[], Any]:
    """Generate by a stream of the model."""
    return lambda: model.stream().generate(TOKENS)


def torch_loop(model: SequenceGenerator) -> Callable[[], Any]:
    """Generate by PyTorch's own layers."""
    recurrent, tensors = model.network.encoder, model.tensors
    embedding = torch.nn.Embedding.from_pretrained(torch.from_numpy(tensors["inputs.weight"]))
    lstm = torch.nn.LSTM(recurrent.input_size, recurrent.hidden_size, recurrent.num_layers)
    lstm.load_state_dict({name: torch.from_numpy(tensors[f"encoder.{name}"]) for name, _ in lstm.named_parameters()})
    linear = torch.nn.Linear(recurrent.hidden_size, model.features.size)
    linear.load_state_dict({name: torch.from_numpy(tensors[f"head.{name}"]) for name in ("weight", "bias")})

    @torch.inference_mode()
    def run() -> None:
        state, token = None, torch.tensor([[model.features.first]])
        for _ in range(TOKENS):
            y, state = lstm(embedding(token), state)
            token = torch.multinomial(torch.softmax(linear(y[0, 0]), 0), 1)[None]

    return run


def onnxruntime_step(model: SequenceGenerator) -> Callable[[], Any]:
    """Generate by a session of ONNX Runtime that takes and returns the states."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(_step(model), options, providers=["CPUExecutionProvider"])
    layers, hidden = model.network.encoder.num_layers, model.network.encoder.hidden_size
    names = [f"{state}{layer}" for layer in range(layers) for state in "hc"]

    def run() -> None:
        draw = np.random.default_rng(0)
        inputs = {name: np.zeros((1, 1, hidden), np.float32) for name in names}
        token = model.features.first
        for _ in range(TOKENS):
            chances, *states = session.run(None, {"token": np.array([[token]]), **inputs})
            inputs = dict(zip(names, states, strict=True))
            total = np.cumsum(chances[0, 0, 0], dtype=np.float64)
            token = min(int(np.searchsorted(total, draw.random() * total[-1], side="right")), len(total) - 1)

    return run


def _step(model: SequenceGenerator) -> bytes:
    """Return one step as an ONNX model: token and states to probabilities and states."""
    recurrent, tensors = model.network.encoder, model.tensors
    arrays = {"table": tensors["inputs.weight"], "out": tensors["head.weight"].T.copy(), "bias": tensors["head.bias"]}
    arrays["axis"] = np.array([1])
    nodes, shape = [helper.make_node("Gather", ["table", "token"], ["x"])], [1, 1, recurrent.hidden_size]
    states, below = [], "x"
    for layer in range(recurrent.num_layers):
        given = [tensors[f"encoder.{name}_l{layer}"] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
        w, r, *biases = (_gates(array) for array in given)
        arrays |= {f"w{layer}": w[None], f"r{layer}": r[None], f"b{layer}": np.concatenate(biases)[None]}
        names = [below, f"w{layer}", f"r{layer}", f"b{layer}", "", f"h{layer}", f"c{layer}"]
        outputs = [f"all{layer}", f"h{layer}n", f"c{layer}n"]
        nodes.append(helper.make_node("LSTM", names, outputs, hidden_size=recurrent.hidden_size))
        nodes.append(helper.make_node("Squeeze", [f"all{layer}", "axis"], [f"y{layer}"]))
        states, below = [*states, f"h{layer}", f"c{layer}"], f"y{layer}"
    nodes.append(helper.make_node("MatMul", [below, "out"], ["products"]))
    nodes.append(helper.make_node("Add", ["products", "bias"], ["scores"]))
    nodes.append(helper.make_node("Unsqueeze", ["scores", "axis"], ["rows"]))
    nodes.append(helper.make_node("Softmax", ["rows"], ["chances"]))
    floats = TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "step",
        [
            helper.make_tensor_value_info("token", TensorProto.INT64, [1, 1]),
            *(helper.make_tensor_value_info(name, floats, shape) for name in states),
        ],
        [
            helper.make_tensor_value_info("chances", floats, [1, 1, 1, model.features.size]),
            *(helper.make_tensor_value_info(f"{name}n", floats, shape) for name in states),
        ],
        [numpy_helper.from_array(np.ascontiguousarray(array), name) for name, array in arrays.items()],
    )
    opset = helper.make_opsetid("", 17)
    return helper.make_model(graph, opset_imports=[opset], ir_version=8).SerializeToString()


def _gates(array: np.ndarray) -> np.ndarray:
    """Return PyTorch's gates (input, forget, cell, output) in ONNX's order (input, output, forget, cell)."""
    blocks = np.split(array, 4)
    return np.concatenate([blocks[place] for place in (0, 3, 1, 2)])


def _seconds(way: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    way()
    return time.perf_counter() - begin


if __name__ == "__main__":
    main()
