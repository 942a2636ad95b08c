"""Keras' recurrent layers: SimpleRNN, LSTM, GRU, cuDNN's variants, and Bidirectional."""

from collections.abc import Mapping, Sequence
from typing import Any

from penstock.convert.importing.keras_layers import LAYERS, Arrays, Building, Config, Flow, refused, scaled
from penstock.network import Add, Concatenate, Multiply, Pool, Recurrent, RecurrentLayers, Reverse, Slice
from penstock.runtime.layouts import Conventions, parameters_of

__all__ = ["RECURRENT"]

_CELLS = {"SimpleRNN": "rnn", "LSTM": "lstm", "GRU": "gru", "CuDNNLSTM": "lstm", "CuDNNGRU": "gru"}
RECURRENT = frozenset(_CELLS)
"""The classes whose weights have two kernels."""


def _recurrent(to: Building, config: Config, arrays: Arrays, inputs: Sequence[Flow], kind: str) -> Sequence[Flow]:
    """One direction; go_backwards gives the outputs in the order of reading, from the last step to the first."""
    x = _only(to, inputs)
    backward = bool(config.get("go_backwards"))
    name = _layers(to, kind, config, [arrays], x, reverse=backward, zero=bool(config.get("zero_output_for_mask")))
    if config.get("return_sequences"):
        found = Flow(to.add(Reverse(), name) if backward else name, x.mask)
    else:
        found = Flow(to.add(Pool("first" if backward else "last"), name))
    if not config.get("return_state"):
        return [found]
    return [found, Flow(to.add(Pool("first" if backward else "last"), name))]


def _bidirectional(to: Building, config: Config, arrays: Arrays, inputs: Sequence[Flow]) -> Sequence[Flow]:
    x = _only(to, inputs)
    layer, half = config["layer"], len(arrays) // 2
    kind, options = str(layer["class_name"]), layer["config"]
    if kind not in _CELLS:
        raise refused(f"Bidirectional({kind})", to.layer, f"{', '.join(_CELLS)} come in")
    if config.get("merge_mode", "concat") not in _MERGES:
        raise refused(f"merge_mode={config.get('merge_mode')!r:.40}", to.layer, f"{', '.join(_MERGES)} come in")
    if options.get("go_backwards") or options.get("return_state") or _differs(config.get("backward_layer"), layer):
        raise refused("Bidirectional of unlike layers, go_backwards or return_state", to.layer, "import them apart")
    whole = bool(options.get("return_sequences"))
    name = _layers(to, kind, options, [arrays[:half], arrays[half:]], x, zero=whole)
    units = int(options["units"])
    mode = config.get("merge_mode", "concat")
    if whole and mode == "concat":
        return [Flow(name, x.mask)]
    forward, backward = to.add(Slice(0, units), name), to.add(Slice(units, 2 * units), name)
    if not whole:
        forward, backward = to.add(Pool("last"), forward), to.add(Pool("first"), backward)
    merged = to.add(_MERGES[mode], forward, backward)
    return [Flow(scaled(to, merged, 0.5) if mode == "ave" else merged, x.mask if whole else None)]


_MERGES = {"concat": Concatenate(), "sum": Add(), "ave": Add(), "mul": Multiply()}


def _layers(
    to: Building, kind: str, config: Config, directions: Sequence[Arrays], x: Flow, *, reverse: bool = False, zero: bool
) -> str:
    """Add the recurrence; return the name of its outputs at all steps."""
    cell = _CELLS[kind]
    options = _options(to, kind, cell, config)
    if config.get("stateful"):
        to.note("stateful: every sequence begins with zero states here; a stream carries the states, and saves them")
    named = [dict(zip(("kernel", "recurrent_kernel", "bias"), arrays, strict=False)) for arrays in directions]
    parameters, implied = parameters_of(
        [tuple(named)], cell, "keras", Conventions(reset_after=options.pop("reset_after", None))
    )
    if cell == "gru":
        options |= implied
    stack = Recurrent(
        cell=cell,
        input_size=parameters["weight_ih_l0"].shape[1],
        hidden_size=parameters["weight_hh_l0"].shape[1],
        bidirectional=len(directions) == 2,
        bias="bias_ih_l0" in parameters,
        **options,
    )
    masked = {"masked": True, "at_masked": "zero" if zero else "repeat"} if x.mask else {}
    operation = RecurrentLayers(stack, reverse=reverse, **masked)  # type: ignore[arg-type]
    return to.add(operation, x.name, *([x.mask] if x.mask else []), **parameters)


def _options(to: Building, kind: str, cell: str, config: Config) -> dict[str, Any]:
    """The cell's options, after checking that the engine has the activations."""
    if config.get("time_major"):
        raise refused("time_major=True", to.layer)
    activation = _plain(config.get("activation", "tanh"))
    if cell == "rnn" and activation in ("tanh", "relu"):
        return {"nonlinearity": activation}
    if activation != "tanh":
        raise refused(f"{kind} with the activation {activation!r:.60}", to.layer, "the engine has tanh")
    gate = _plain(config.get("recurrent_activation", "sigmoid" if to.version > 2 or kind in _CUDNN else "hard_sigmoid"))
    if cell != "rnn" and gate != "sigmoid":
        raise refused(f"{kind} with the recurrent activation {gate!r:.60}", to.layer, "the engine has sigmoid")
    if cell != "gru":
        return {}
    after = config.get("reset_after", True if to.version > 2 or kind in _CUDNN else None)
    return {} if after is None else {"reset_after": bool(after)}


_CUDNN = ("CuDNNLSTM", "CuDNNGRU")


def _plain(activation: Any) -> str:
    return str(activation.get("class_name") if isinstance(activation, Mapping) else activation)


def _differs(backward: Any, forward: Mapping[str, Any]) -> bool:
    """Whether a Bidirectional's backward layer is another than the forward one turned."""
    if backward is None:
        return False
    compared = ("units", "activation", "recurrent_activation", "use_bias", "reset_after", "return_sequences")
    other, same = backward["config"], forward["config"]
    return backward["class_name"] != forward["class_name"] or any(other.get(n) != same.get(n) for n in compared)


def _only(to: Building, inputs: Sequence[Flow]) -> Flow:
    if len(inputs) != 1:
        raise refused("initial states from another layer", to.layer, "import encoder and decoder apart: start=, stop=")
    return inputs[0]


def _of_kind(kind: str) -> Any:
    return lambda to, config, arrays, inputs: _recurrent(to, config, arrays, inputs, kind)


LAYERS |= {kind: _of_kind(kind) for kind in _CELLS} | {"Bidirectional": _bidirectional}
