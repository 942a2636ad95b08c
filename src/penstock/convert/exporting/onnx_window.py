"""A forecaster with a look-back as an ONNX model: its wiring, traced."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from penstock.convert.exporting.exported import metadata
from penstock.convert.exporting.onnx_arrays import BATCH, Traced
from penstock.convert.exporting.onnx_model import Form, proto
from penstock.convert.exporting.onnx_nodes import Nodes, onnx_package
from penstock.convert.exporting.onnx_recurrence import layer_stack
from penstock.convert.exporting.onnx_steps import Steps
from penstock.convert.exporting.runtimes import Run
from penstock.convert.exporting.verification import difference
from penstock.errors import ConfigError
from penstock.network import Network
from penstock.runtime.model import Model

__all__ = ["Window", "window_of"]


@dataclass(frozen=True)
class Window:
    """A network that reads a fixed window.

    Attributes:
        network: its description.
        function: what its wiring's `export` makes: a function of arrays.
        scorer: the network on the engine.
        about: metadata; see `exported.metadata`.
    """

    network: Network
    function: Any
    scorer: Any
    about: Mapping[str, str]

    @property
    def peepholes(self) -> bool:
        """Whether an operator of ONNX has peepholes, which are for a layer without a projection."""
        options = self.network.encoder.options
        return bool(options.get("peephole")) and not options.get("proj_size")

    def made(self, form: Form) -> Any:
        """Return the ModelProto; ConfigError for a stream, which such a network does not have."""
        if form.streaming:
            raise ConfigError(
                "a forecaster with a look-back reads its window anew for each forecast, so it has no streaming form. "
                "Export the whole form, and keep the last values."
            )
        helper, types = onnx_package().helper, onnx_package().TensorProto
        nodes, function = Nodes(), self.function
        inputs = {
            name: Traced(nodes, name, (BATCH, *shape), np.float32 if shape else np.int64)
            for name, shape in function.inputs.items()
        }
        found = function(_Layers(nodes, self.network, function.tensors, form), **inputs)
        nodes.named(found.name, function.output)
        described = [
            helper.make_tensor_value_info(name, types.FLOAT if shape else types.INT64, ["batch", *shape])
            for name, shape in function.inputs.items()
        ]
        output = helper.make_tensor_value_info(function.output, types.FLOAT, ["batch", *function.shape])
        return proto(nodes, described, [output], {**self.about, "form": "window"}, form.opset)

    def error(self, run: Run, form: Form, made: Any) -> float:
        """Return the largest difference on random windows, as a share of the output's scale."""
        random, rows, head = np.random.default_rng(0), 5, self.network.head
        arrays = {
            name: random.normal(size=(rows, *shape)).astype(np.float32)
            if shape
            else random.integers(0, self.network.inputs.identities + 1, rows)
            for name, shape in self.function.inputs.items()
        }
        nothing = {
            "covariates": np.zeros((rows, head.context, 0), np.float32),
            "known": np.zeros((rows, head.horizon, 0), np.float32),
            "identity": np.zeros(rows, np.int64),
        }
        given = nothing | arrays
        expected = self.scorer(given["values"], given["covariates"], given["known"], given["identity"])
        return difference(run(arrays)[self.function.output], expected)


def window_of(model: Model) -> Window:
    """Return a model's network, whose wiring has an export of its own."""
    function = model.network.wiring.side("export")(model.network, model.tensors)
    return Window(model.network, function, model.scorer, metadata(model))


class _Layers:
    """The recurrent layers: x (batch, time, input), state -> outputs, state."""

    def __init__(self, nodes: Nodes, network: Network, tensors: Mapping[str, Any], form: Form) -> None:
        self._nodes, self._spec, self._portable = nodes, network.encoder, form.portable
        self._tensors = {
            name.removeprefix("encoder."): array for name, array in tensors.items() if name.startswith("encoder.")
        }

    def __call__(self, x: Traced, state: tuple[Traced, ...] | None) -> tuple[Traced, tuple[Traced, ...]]:
        nodes, spec = self._nodes, self._spec
        sizes = spec.declaration.state_sizes(spec.hidden_size, **spec.options)
        batch = nodes.add("Slice", nodes.add("Shape", x.name), np.array([0]), np.array([1]))
        steps = Steps(nodes, "", False, self._portable, batch, "")
        rows = spec.num_layers * (2 if spec.bidirectional else 1)
        if state is None:
            shapes = [nodes.add("Concat", np.array([rows]), batch, np.array([size]), axis=0) for size in sizes]
            initial = [nodes.add("Expand", np.zeros((1, 1, 1), np.float32), shape) for shape in shapes]
        else:
            initial = [each.name for each in state]
        turned = nodes.add("Transpose", x.name, perm=[1, 0, 2])
        y, final = layer_stack(steps, "encoder", spec, self._tensors, turned, initial)
        outputs = Traced(nodes, nodes.add("Transpose", y, perm=[1, 0, 2]), (*x.shape[:2], spec.output_size))
        return outputs, tuple(Traced(nodes, each, (rows, BATCH, size)) for each, size in zip(final, sizes, strict=True))
