"""The same network behind a plain FastAPI server with PyTorch or ONNX Runtime.

    python benchmarks/serving/plain.py torch MODEL_DIR

Each request is one text and one batch, as in common tutorials. The port is printed on standard output.
"""

import socket
import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

import penstock

THREADS = 1  # threads of the library; the other core handles the clients, as with `penstock serve`

Answer = Callable[[list[int]], Any]
"""Maps the token ids of a text to the probability of each label."""


class Request(BaseModel):
    """The request format of `penstock serve`."""

    inputs: list[str]


def application(model: Any, answer: Answer) -> FastAPI:
    """Make an application whose predict endpoint returns the same rows as `penstock serve`."""
    app = FastAPI()

    @app.post("/v1/models/words/predict")
    def predict(request: Request) -> dict[str, Any]:
        rows = []
        for ids in model.features.apply(request.inputs):
            spread = answer(ids.tolist())
            row = {f"probability_{label}": float(p) for label, p in zip(model.labels, spread, strict=True)}
            rows.append({"prediction": model.labels[int(np.argmax(spread))], **row})
        return {"outputs": rows}

    return app


def with_torch(tensors: Mapping[str, Any]) -> Answer:
    """Build the network from layers of torch.nn."""
    import torch

    torch.set_num_threads(THREADS)
    weights = {name: torch.from_numpy(array.copy()) for name, array in tensors.items()}
    embedding = torch.nn.Embedding.from_pretrained(weights["inputs.weight"])
    hidden = weights["encoder.weight_hh_l0"].shape[1]
    encoder = torch.nn.LSTM(embedding.embedding_dim, hidden, batch_first=True)
    encoder.load_state_dict({n.removeprefix("encoder."): w for n, w in weights.items() if n.startswith("encoder.")})

    @torch.inference_mode()
    def answer(ids: list[int]) -> Any:
        y, _ = encoder(embedding(torch.tensor([ids])))
        pooled = torch.cat([y.mean(dim=1), y.amax(dim=1)], dim=1)
        scores = torch.nn.functional.linear(pooled, weights["head.weight"], weights["head.bias"])
        return scores.softmax(dim=1)[0].tolist()

    return answer


def with_onnx(tensors: Mapping[str, Any]) -> Answer:
    """Build the network as an ONNX graph."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    session = onnxruntime.InferenceSession(_graph(tensors), options, providers=["CPUExecutionProvider"])
    return lambda ids: session.run(None, {"ids": np.array(ids, np.int64)})[0][0]


def _graph(tensors: Mapping[str, Any]) -> bytes:
    """Return the graph: embedding, LSTM, mean and max over time, linear layer, softmax."""
    from onnx import TensorProto, helper, numpy_helper

    hidden = tensors["encoder.weight_hh_l0"].shape[1]

    def gates(name: str) -> Any:
        # The gate order is i o f g in ONNX and i f g o in PyTorch.
        i, f, g, o = np.split(tensors[f"encoder.{name}_l0"], 4)
        return np.concatenate([i, o, f, g])[None]

    constants = {
        "table": tensors["inputs.weight"],
        "w": gates("weight_ih"),
        "r": gates("weight_hh"),
        "b": np.concatenate([gates("bias_ih"), gates("bias_hh")], axis=1),
        "head": np.ascontiguousarray(tensors["head.weight"].T),
        "bias": tensors["head.bias"],
        "one": np.array([1], np.int64),
        "directions": np.array([1], np.int64),
        "time": np.array([0], np.int64),
    }
    node = helper.make_node
    nodes = [
        node("Gather", ["table", "ids"], ["vectors"]),
        node("Unsqueeze", ["vectors", "one"], ["x"]),
        node("LSTM", ["x", "w", "r", "b"], ["each"], hidden_size=hidden),
        node("Squeeze", ["each", "directions"], ["y"]),
        node("ReduceMean", ["y", "time"], ["mean"], keepdims=0),
        node("ReduceMax", ["y", "time"], ["max"], keepdims=0),
        node("Concat", ["mean", "max"], ["pooled"], axis=1),
        node("Gemm", ["pooled", "head", "bias"], ["scores"]),
        node("Softmax", ["scores"], ["probabilities"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "words",
        [helper.make_tensor_value_info("ids", TensorProto.INT64, ["steps"])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.ascontiguousarray(array), name) for name, array in constants.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    return made.SerializeToString()


def main() -> None:
    """Serve until killed."""
    library, folder = sys.argv[1:]
    model = penstock.load(folder)
    answer = {"torch": with_torch, "onnx": with_onnx}[library](model.tensors)
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(application(model, answer), http="httptools", log_level="warning", access_log=False)
    print(listening.getsockname()[1], flush=True)
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
