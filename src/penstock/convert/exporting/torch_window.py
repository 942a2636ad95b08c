"""A forecaster with a look-back as the source of a PyTorch module that needs nothing of Penstock."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.convert.exporting.onnx_window import Window
from penstock.convert.exporting.torch_operations import Source, layer_source, layer_tensors
from penstock.convert.exporting.torch_source import file_text

__all__ = ["torch_window"]

_NAMES = {
    "inputs.weight": "inputs.weight",
    "inputs.bias": "inputs.bias",
    "inputs.identities": "identities.weight",
    "head.positions": "positions",
    "head.known_weight": "known.weight",
    "head.weight": "output.weight",
    "head.bias": "output.bias",
    "head.highway": "highway.weight",
}
"""Our tensors, but for the recurrent layers', by the names of `torch_look_back.LookBack`."""


def torch_window(window: Window, weights: str, parts: Mapping[str, Any]) -> tuple[str, dict[str, NDArray[Any]]]:
    """Return the text of the file, and its tensors.

    Args:
        window: the forecaster.
        weights: the name of the file of weights.
        parts: what is in `torch_parts` and `torch_look_back`, which need PyTorch.

    Raises:
        ConfigError: a cell has no form in PyTorch.
    """
    network, tensors, source = window.network, window.function.tensors, Source()
    spec, head, inputs = network.encoder, network.head, network.inputs
    layer = layer_source(source, spec)
    source.use("LookBack")
    sizes = [spec.layer_input_size(number) for number in range(spec.num_layers)]
    states = list(spec.declaration.state_sizes(spec.hidden_size, **spec.options))
    options = {
        "output": spec.output_size,
        "length": head.length,
        "size": head.size,
        "horizon": head.horizon,
        "targets": head.targets,
        "quantiles": head.quantiles,
        "covariates": inputs.features - head.targets,
        "known": head.known,
        "identities": inputs.identities,
        "highway": head.highway,
        "normalization": head.normalization,
    }
    read = window.function.inputs
    given = ", ".join(name if name in read else "None" for name in ("values", "covariates", "known", "identity"))
    lines = [
        "class Network(LookBack):",
        '    """The network; `load` makes one with its weights."""',
        "",
        "    def __init__(self) -> None:",
        f"        encoder = Stack({layer}, {sizes}, {states})",
        "        super().__init__(",
        "            encoder,",
        *(f"            {name}={value!r}," for name, value in options.items()),
        "        )",
        "",
        f"    def forward(self, {', '.join(f'{name}: Tensor' for name in read)}) -> Tensor:",
        '        """Forecast from look-backs.',
        "",
        "        Args:",
        *(f"            {name}: {_shape(shape)}" for name, shape in read.items()),
        "",
        "        Returns:",
        f"            (batch, {head.horizon}, {head.targets}, {head.quantiles}): steps ahead, targets, quantiles.",
        '        """',
        f"        return self.forecasts({given})",
    ]
    named = {_NAMES[name]: array for name, array in tensors.items() if name in _NAMES}
    found = {name: np.ascontiguousarray(array, np.float32) for name, array in (named | _layers(spec, tensors)).items()}
    return file_text(window.about, source.parts, lines, weights, parts), found


def _shape(shape: tuple[int, ...]) -> str:
    return f"(batch, {', '.join(map(str, shape))})" if shape else "(batch,) int64, the number of the series, 0 for any"


def _layers(spec: Any, tensors: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    found = dict[str, NDArray[Any]]()
    for number in range(spec.num_layers):
        start, end = "encoder.", f"_l{number}"
        own = {
            name.removeprefix(start).removesuffix(end): array
            for name, array in tensors.items()
            if name.startswith(start) and name.endswith(end)
        }
        found |= {f"encoder.layers.{number}.{key}": array for key, array in layer_tensors(spec, own).items()}
    return found
