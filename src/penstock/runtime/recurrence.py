"""PyTorch's recurrent layers without PyTorch: run the state_dict of a safetensors file, on sequences or as a stream."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import safetensors.numpy
from numpy.typing import ArrayLike, NDArray

from penstock.cells import find
from penstock.errors import ShapeError
from penstock.runtime.layouts import Conventions, parameters_of
from penstock.runtime.parameters import check_prefix, in_stack, infer, is_parameter, real
from penstock.runtime.pool import StreamPool
from penstock.runtime.stack import LayerState, Stack
from penstock.runtime.stream import Stream, Traces, advance, step_arrays
from penstock.runtime.weights import read_tensors, tensor_names

State = NDArray[np.float32] | tuple[NDArray[np.float32], ...]
"""As in PyTorch: h (layers * directions, batch, size), or (h, c) for a cell with two states."""


class Recurrence:
    """A recurrent network made from the parameters of `torch.nn.RNN`, `LSTM`, `GRU`, or one of their cells.

    Sizes, layers, directions, biases, projections and peepholes are inferred from the parameters. It can be pickled,
    with the parameters as safetensors.

    Args:
        parameters: arrays by PyTorch's names (`weight_ih_l0`, ..., `weight_hr_l0`, `_reverse`; peepholes are
            `weight_ch_l0` (3, hidden)); float16, float32 and float64 become float32. Other names are ignored.
        cell: "rnn", "lstm" or "gru".
        options: options that no parameter shows: `nonlinearity="relu"` for rnn, `reset_after=False` for gru, and the
            `zoneout` of the training.

    Attributes:
        spec: the description of the layers.
        stack: the layers.

    Raises:
        ConfigError: an unknown cell or option, missing parameters, or parameters of another cell.
        ShapeError: parameters whose shapes do not match each other.
        DtypeError: parameters that are not real numbers.

    Examples:
        >>> import numpy as np
        >>> from penstock.runtime import Recurrence
        >>> shapes = {"weight_ih_l0": (12, 3), "weight_hh_l0": (12, 4), "bias_ih_l0": (12,), "bias_hh_l0": (12,)}
        >>> network = Recurrence({name: np.ones(shape) for name, shape in shapes.items()}, cell="gru")
        >>> stream = network.stream()
        >>> stream.push(np.ones(3)).shape
        (4,)
    """

    def __init__(self, parameters: Mapping[str, ArrayLike], cell: str, **options: Any) -> None:
        named = {in_stack(name): real(parameters[name], name) for name in parameters if is_parameter(name)}
        self.spec = infer(named, cell, options)
        self._parameters, self._options = named, options
        self.stack = Stack(self.spec, named)

    @classmethod
    def from_safetensors(cls, path: str | Path, cell: str, prefix: str = "", **options: Any) -> Self:
        """Load a file that `safetensors.torch.save_file(module.state_dict(), path)` wrote.

        Args:
            path: the file; float16, bfloat16 and float64 tensors become float32.
            cell: "rnn", "lstm" or "gru".
            prefix: the part before `weight_ih_l0` in the tensors' names, for example "encoder.".
            options: as in the class.

        Raises:
            BundleError: there is no such file, or it is not in the safetensors format.
            ConfigError: no recurrent layer under this prefix (the message lists the prefixes that have one), or as in
                the class.
        """
        find(cell)
        check_prefix(tensor_names(path), prefix)

        def wanted(name: str) -> bool:
            return name.startswith(prefix) and is_parameter(name.removeprefix(prefix))

        chosen = {name.removeprefix(prefix): array for name, array in read_tensors(path, wanted).items()}
        return cls(chosen, cell, **options)

    @classmethod
    def from_arrays(
        cls,
        layers: Any,
        cell: str,
        *,
        layout: str = "torch",
        gates: str | None = None,
        reset_after: bool | None = None,
        update_keeps: bool | None = None,
        forget_bias: float | None = None,
        **options: Any,
    ) -> Self:
        """Make a network from the arrays of another library's recurrent layers.

        For each layout: the arrays of a direction; the order of the gates of an LSTM and a GRU; conventions.

        - torch: weight_ih (gates * hidden, input), weight_hh, bias_ih, bias_hh, weight_ch; ifgo, rzn; reset after.
        - keras: kernel (input, gates * hidden), recurrent_kernel, bias; ifco, zrh; the bias's axes show the reset.
        - onnx: W, R, B, P, with the axis of directions; iofc, zrh; reset before: `linear_before_reset` is 0.
        - flax: the tree of linen's or nnx's cells, ii, if, ... hi, ... or dense_i, dense_h; ifgo, rzn; reset after.
        - haiku: w, b of `linear`, or w_i, w_h, b; igfo, zra; forget bias 1, the update gate takes, reset before.
        - dynet: Wx, Wh, b; ifog, zrh; forget bias 1.
        - paddle_fluid: fc_w, fc_b, gru_w, gru_b; a GRU's urc; the update gate takes, reset before.

        The layers of Paddle 2 have PyTorch's layout.

        Args:
            layers: one layer's arrays by name, or a list with an item for each layer; a layer of both directions is a
                pair of such mappings, (forward, backward).
            cell: "rnn", "lstm" or "gru".
            layout: one of these.
            gates: another order, a letter for each gate: i, f, g (or c), o; r, z (or u), n (or h, c, a).
            reset_after: whether a GRU's reset gate is applied after the product.
            update_keeps: whether a GRU's update gate keeps the old state where it is 1; else it takes the new one.
            forget_bias: what the library adds to the stored bias of an LSTM's forget gate.
            options: as in the class.

        Raises:
            ConfigError, ShapeError, DtypeError: the arrays do not fit the layout, or each other.

        Examples:
            >>> import numpy as np
            >>> from penstock.runtime import Recurrence
            >>> arrays = {"kernel": np.ones((3, 16)), "recurrent_kernel": np.ones((4, 16)), "bias": np.zeros(16)}
            >>> Recurrence.from_arrays(arrays, "lstm", layout="keras").spec.hidden_size
            4
        """
        conventions = Conventions(gates, update_keeps, forget_bias, reset_after)
        parameters, implied = parameters_of(layers, cell, layout, conventions)
        return cls(parameters, cell, **(implied | options))

    def __call__(
        self,
        x: ArrayLike,
        state: State | None = None,
        lengths: ArrayLike | None = None,
        batch_first: bool = False,
    ) -> tuple[NDArray[np.float32], State]:
        """Run whole sequences; return the outputs and the final states, like PyTorch's layers.

        Args:
            x: (time, batch, input), (batch, time, input) with `batch_first`, or (time, input); real numbers.
            state: initial h, or (h, c): (layers * directions, batch, size), without batch if x has none; zeros if
                None.
            lengths: (batch,), each sequence's steps, 0 to time; outputs past them are 0.
            batch_first: whether x and the outputs have the batch axis before time.

        Returns:
            outputs, with directions * size features, and the states after each sequence's last step.

        Raises:
            ShapeError, DtypeError, LengthsError: an argument has the wrong shape, type or length.
        """
        x = self.checked(x, batch_first)
        single = x.ndim == 2
        if single:
            x = x[:, None]
        elif batch_first:
            x = x.swapaxes(0, 1)
        y, after = self.stack(np.ascontiguousarray(x), self._layers(state, x.shape[1], single), lengths)
        joined = tuple(np.concatenate(states) for states in zip(*after, strict=True))
        if single:
            y, joined = y[:, 0], tuple(states[:, 0] for states in joined)
        elif batch_first:
            y = np.ascontiguousarray(y.swapaxes(0, 1))
        return y, joined[0] if len(joined) == 1 else joined

    def stream(self, batch: int = 1) -> "RecurrenceStream":
        """Start a stream that reads `batch` sequences together, one step at a time, from zero states.

        Raises:
            ConfigError: the network is bidirectional, or `batch` is below 1.
        """
        return RecurrenceStream(self, batch)

    def pool(self) -> StreamPool:
        """Return a pool of streams that are advanced together; a step's prediction is the last layer's output.

        Raises:
            ConfigError: the network is bidirectional.
        """
        return StreamPool(self.stack, of=self)

    @property
    def fingerprint(self) -> str:
        """A hash that identifies this network: of its description and its parameters."""
        spelled = ", ".join(f"{name}={value!r}" for name, value in self.spec.identity().items())
        digest = hashlib.sha256(f"Recurrent({spelled})".encode())
        for name in sorted(self._parameters):
            digest.update(self._parameters[name].tobytes())
        return digest.hexdigest()

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickled, (type(self), safetensors.numpy.save(self._parameters), self.spec.cell, self._options)

    def __repr__(self) -> str:
        return f"Recurrence({self.spec})"

    def checked(self, x: ArrayLike, batch_first: bool = False) -> NDArray[np.float32]:
        """Return x as float32, as a call takes it; ShapeError or DtypeError if it is no input of this network."""
        array = real(x, "x")
        if array.ndim not in (2, 3) or array.shape[-1] != self.spec.input_size:
            axes, size = "batch, time" if batch_first else "time, batch", self.spec.input_size
            raise ShapeError(f"x must be ({axes}, input={size}) or (time, input={size}); got {array.shape}")
        return array

    def _layers(self, state: State | None, batch: int, single: bool) -> list[LayerState] | None:
        if state is None:
            return None
        sizes, directions = self.stack.state_sizes, self.stack.directions
        given: Sequence[ArrayLike] = state if isinstance(state, tuple | list) else (state,)
        rows = self.spec.num_layers * directions
        expected = [(rows, size) if single else (rows, batch, size) for size in sizes]
        arrays = [real(array, "state") for array in given]
        if [array.shape for array in arrays] != expected:
            raise ShapeError(
                f"state must be {_joined(expected)}, (layers * directions{'' if single else ', batch'}, size); "
                f"got {_joined(array.shape for array in arrays)}"
            )
        shaped = [array.reshape(self.spec.num_layers, directions, batch, -1) for array in arrays]
        return [tuple(array[layer] for array in shaped) for layer in range(self.spec.num_layers)]


class RecurrenceStream(Stream):
    """A stream through a recurrent network. Made by `Recurrence.stream()`.

    An item is x, real numbers (batch, input). A prediction is the outputs (batch, output) of that step; `finish`
    returns the outputs of the last step, or zeros if there was none. If batch is 1, items may also be (input,), which
    gives (output,).

    Examples:
        >>> import numpy as np
        >>> from penstock.runtime import Recurrence
        >>> network = Recurrence({"weight_ih_l0": np.ones((12, 3)), "weight_hh_l0": np.ones((12, 4))}, cell="gru")
        >>> stream = network.stream()
        >>> y = stream.push(np.ones(3))
        >>> (stream.fork().push(np.ones(3)) == stream.push(np.ones(3))).all()
        np.True_
    """

    def __init__(self, network: Recurrence, batch: int = 1) -> None:
        super().__init__("recurrence", network)
        self._batch = batch
        self._step = network.stack.step(batch)

    def push_many(self, items: Any) -> NDArray[np.float32]:
        """Return the outputs (time, batch, output) of steps (time, batch, input), bit for bit those of single pushes.

        If batch is 1, steps may also be (time, input), which gives (time, output).

        Raises:
            ShapeError, DtypeError: the items have the wrong shape or type.
            StateError: `finish` was called.
        """
        self._refuse_if_finished()
        array = real(items, "xs")
        size = self._model.spec.input_size
        expected = (len(array) if array.ndim else 0, self._batch, size)
        if array.shape != expected and not (self._batch == 1 and array.shape == (expected[0], size)):
            raise ShapeError(f"xs must be (time, batch={self._batch}, input={size}); got {array.shape}")
        before = [tuple(state.reshape(1, self._batch, -1) for state in layer) for layer in self._step.state]
        y, after = self._model.stack(np.ascontiguousarray(array.reshape(expected)), before)
        for layer, states in zip(self._step.state, after, strict=True):
            for state, value in zip(layer, states, strict=True):
                state[...] = value.reshape(state.shape)
        return y if array.ndim == 3 else y[:, 0]

    def as_json(self, prediction: NDArray[np.float32]) -> dict[str, Any]:
        """Return {"outputs": [...]}."""
        return {"outputs": prediction.tolist()}

    def _push(self, item: ArrayLike, traces: Traces | None) -> NDArray[np.float32]:
        array = real(item, "x")
        expected = (self._batch, self._model.spec.input_size)
        if array.shape != expected and not (self._batch == 1 and array.shape == expected[1:]):
            raise ShapeError(f"x must be (batch={expected[0]}, input={expected[1]}); got {array.shape}")
        y = advance(self._step, np.ascontiguousarray(array.reshape(expected)), traces)
        # A copy: the step writes its next outputs into the same memory.
        return np.array(y if array.ndim == 2 else y[0])

    def _whole(self) -> NDArray[np.float32]:
        last = np.array(self._step.state[-1][0])  # the first state of the last layer is its output
        return last[0] if self._batch == 1 else last

    def _memory(self) -> dict[str, NDArray[Any]]:
        return dict(step_arrays(self._step))

    def _forget(self) -> None:
        self._step.reset()

    def _arguments(self) -> tuple[Any, ...]:
        return self._model, self._batch


def _unpickled(kind: type[Recurrence], parameters: bytes, cell: str, options: Mapping[str, Any]) -> Recurrence:
    """The network that a pickle holds; ConfigError where its cell isn't registered here."""
    return kind(safetensors.numpy.load(parameters), cell, **options)


def _joined(shapes: Iterable[tuple[int, ...]]) -> str:
    return " and ".join(map(str, shapes))
