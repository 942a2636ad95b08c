"""Export to ONNX: written, run in other runtimes beside the model, and kept if they agree."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.convert.exporting.exported import NamedGraph, encoded, of_model
from penstock.convert.exporting.files import Written, check_free, write
from penstock.convert.exporting.onnx_int8 import loss, quantized
from penstock.convert.exporting.onnx_model import OPSET, Form, checked_opset, onnx_model
from penstock.convert.exporting.onnx_window import Window, window_of
from penstock.convert.exporting.runtimes import RUNTIMES, Run, onnx_runtime
from penstock.convert.exporting.verification import check, random_sequences, states_of, stream_error, whole_error
from penstock.errors import ConfigError, MissingExtraError
from penstock.network import RecurrentLayers
from penstock.runtime.model import Model

__all__ = ["Sequences", "network_of", "to_onnx", "verified"]


def to_onnx(
    model: Model,
    path: str | os.PathLike[str],
    *,
    streaming: bool = False,
    int8: bool = False,
    data: Any = None,
    opset: int = OPSET,
    overwrite: bool = False,
) -> Written:
    """Write a model's network as an ONNX file, after ONNX Runtime and OpenVINO gave the model's numbers with it.

    Inputs are float32 (batch, time, size) or int64 ids (batch, time), and `lengths`, int64 (batch,), the steps of each
    sequence; a call has at least one step, and outputs past a sequence's steps mean nothing. Outputs are those of
    `network.lowering.graph_of`, and the final states of the recurrent layers, (layers * directions, batch, size). In
    the streaming form a call goes on where the one before ended: for each input `<state>` there is an output
    `<state>_after`; pooled sums and numbers of steps are among them. Sizes of batch and time are free.

    Texts, sounds and tables become numbers outside of the file; its metadata say how: see `exported.metadata`.

    Args:
        model: what `penstock.load` returns.
        path: the file.
        streaming: write the streaming form; not for networks that read backward.
        int8: round the weights of LSTM layers, linear layers and tables to 8 bits, by ONNX Runtime's dynamic quantiser;
            other layers stay float32. Of whole sequences; the loss is measured instead of refused.
        data: inputs as the model's `predict` takes them, on which the loss is measured; random ones if None.
        opset: the version of ONNX's operators, 18 to 23.
        overwrite: replace a file that exists.

    Returns:
        The file, each runtime's largest difference, and for int8 the loss in `measures`.

    Raises:
        ConfigError: the network has no such form, an export differs by more than 1e-5 of its scale, or the file exists.
        MissingExtraError: onnx isn't installed, or no runtime is.

    Examples:
        >>> import numpy as np, tempfile
        >>> from pathlib import Path
        >>> from penstock.convert import to_onnx
        >>> from penstock.network import GraphBuilder, Pool, Value
        >>> from penstock.runtime import GraphModel
        >>> builder = GraphBuilder({"x": Value(3)})
        >>> model = GraphModel(*builder.build(builder.add(Pool("mean"), "x")))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     written = to_onnx(model, Path(folder) / "mean.onnx")
        >>> written.files[0].name, max(written.errors.values()) < 1e-5
        ('mean.onnx', True)
    """
    form = Form(streaming=streaming, opset=checked_opset(opset))
    target = Path(path)
    check_free([target], overwrite=overwrite)
    network = network_of(model)
    if data is not None and not int8:
        raise ConfigError("data are for the loss by int8 weights. Leave them out, or ask for int8.")
    if int8 and (streaming or isinstance(network, Window)):
        raise ConfigError("int8 weights are for whole sequences. Leave int8 out for streams and look-backs.")
    made = network.made(form)
    content = made.SerializeToString()
    errors, notes = verified(network, form, made, content)
    if isinstance(network, Window) or not int8:
        return Written(write({target: content}), errors, notes)
    small = quantized(made).SerializeToString()
    sequences = random_sequences(network.exported.graph) if data is None else encoded(model, network.exported, data)
    measures = loss(onnx_runtime(small), network.exported, sequences, random=data is None)
    notes = (*notes, "the runtimes' differences are those of float32 weights, the others those of int8 weights")
    if len(small) >= len(content):
        notes = (*notes, "the file did not become smaller: the quantiser leaves GRU, RNN and small layers as they are")
    return Written(write({target: small}), errors, notes, measures)


def network_of(model: Model) -> "Sequences | Window":
    """Return a model's network, which `made` writes as a ModelProto and `error` compares with the model."""
    wiring = model.network.wiring
    return Sequences(of_model(model)) if wiring.export is None else window_of(model)


@dataclass(frozen=True)
class Sequences:
    """A network that reads sequences, as a graph."""

    exported: NamedGraph

    @property
    def peepholes(self) -> bool:
        """Whether an operator of ONNX has peepholes, which are for a layer without a projection."""
        return any(
            node.operation.layers.options.get("peephole") and not node.operation.layers.options.get("proj_size")
            for node in self.exported.graph.nodes
            if isinstance(node.operation, RecurrentLayers)
        )

    def made(self, form: Form) -> Any:
        """Return the ModelProto."""
        return onnx_model(self.exported, form)

    def error(self, run: Run, form: Form, made: Any) -> float:
        """Return the largest difference on random sequences, as a share of the output's scale."""
        # Without lengths, all sequences have all steps of a call.
        lengths = (3, 0, 17, 1, 8) if form.lengths else (6, 6, 6)
        sequences = random_sequences(self.exported.graph, lengths=lengths)
        if form.streaming:
            return stream_error(run, self.exported, states_of(made), sequences, lengths=form.lengths)
        return whole_error(run, self.exported, sequences)


def verified(
    network: "Sequences | Window", form: Form, made: Any, content: bytes
) -> tuple[dict[str, float], tuple[str, ...]]:
    """Run a model in all runtimes that are installed; return their differences, and notes.

    Raises:
        ConfigError: one computes something else.
        MissingExtraError: none is installed.
    """
    errors, notes = {}, []
    for name, opened in RUNTIMES.items():
        if name == "OpenVINO" and network.peepholes:
            notes.append("OpenVINO ignores peepholes in ONNX files: use `--to openvino` for it")
            continue
        try:
            run = opened(content)
        except MissingExtraError as error:
            notes.append(f"{name} is not installed, so it did not check the file")
            missing = error
            continue
        errors[name] = check(network.error(run, form, made), f"the export in {name}")
    if not errors:
        raise missing
    return errors, tuple(notes)
