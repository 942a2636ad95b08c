"""Base class of the recurrent layers: PyTorch's module, with lengths, computed by the engine where possible."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar, Self

import torch
from torch import Tensor
from torch.fx import Proxy
from torch.nn import functional
from torch.nn.parameter import Parameter
from torch.nn.utils.rnn import PackedSequence

from penstock import cells
from penstock.errors import ConfigError
from penstock.nn import cudnn, initial, native, onnx_node, operator, reference
from penstock.nn.autograd import Bound
from penstock.nn.checks import check_memory, check_packed, check_types, refuse_shapes, states_of
from penstock.nn.layer_spec import BATCH_FIRST, PACKED, TIME_MAJOR, LayerSpec, Layout
from penstock.nn.lengths import check_range, int64_lengths
from penstock.nn.paths import Path, find_path, is_exporting, is_plain, is_traced
from penstock.nn.recorded import extras, leaf, refuse_script, trace
from penstock.nn.seeds import draw_seed

__all__ = ["RecurrentLayers"]

State = tuple[Tensor, ...]


class RecurrentLayers(torch.nn.RNNBase):
    """A stack of recurrent layers: holds the parameters of `torch.nn.RNNBase`, computes on the engine.

    Not a subclass of torch.nn.LSTM etc., because torch.compile refuses instances of those.
    """

    cell: ClassVar[str]
    torch_forward: ClassVar[Callable[..., Any]]
    locked_dropout: float = 0.0
    """Dropout between layers with the same mask at each step (Gal and Ghahramani 2016), in addition to `dropout`."""

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
        *,
        init: str = "torch",
        max_time: int | None = None,
        **options: Any,
    ) -> None:
        cell = cells.find(self.cell)
        initial.check(init, max_time, cell, bias)
        self.init, self.max_time = init, max_time
        super().__init__(
            mode, input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, proj_size,
            device, dtype,
        )  # fmt: skip
        completed = cells.own_options(cell, {"proj_size": proj_size, **options})
        self._kinds = self._describe(
            input_size, hidden_size, num_layers, completed, bias=bias, bidirectional=bidirectional
        )
        self._complete_parameters(device, dtype)
        self._bound = tuple(Bound(kind) for kind in self._kinds)
        directions = self._kinds[0].directions
        self._names = tuple(
            tuple(itertools.chain(*self._all_weights[k : k + directions]))
            for k in range(0, len(self._all_weights), directions)
        )

    def _describe(
        self, input_size: int, hidden_size: int, num_layers: int, options: dict[str, Any], **more: bool
    ) -> tuple[LayerSpec, ...]:
        first = LayerSpec.make(self.cell, input_size, hidden_size, options, **more)
        above = first.state_sizes[0] * first.directions
        return (first, *(LayerSpec.make(self.cell, above, hidden_size, options, **more) for _ in range(num_layers - 1)))

    @property
    def zoneout(self) -> float | tuple[float, ...]:
        """Probability that a unit keeps its state from the step before, in training; a tuple if states differ."""
        value: float | tuple[float, ...] = self._kinds[0].options.get("zoneout", 0.0)
        return value

    @property
    def _is_described(self) -> bool:
        """False while PyTorch's constructor runs, when not all parameters exist yet."""
        return "_kinds" in vars(self)

    def _complete_parameters(self, device: Any, dtype: Any) -> None:
        """Register the parameters that the cell declares and PyTorch has not made, or has made in another shape."""
        bound = self.hidden_size**-0.5
        for number, names in enumerate(self._all_weights):
            kind, suffix = self._kinds[number // self._kinds[0].directions], names[0].removeprefix("weight_ih")
            for name, shape in kind.parameter_shapes.items():
                existing = self._parameters.get(name + suffix)
                if existing is None or existing.shape != shape:
                    weight = Parameter(torch.empty(shape, device=device, dtype=dtype))
                    torch.nn.init.uniform_(weight, -bound, bound)
                    self.register_parameter(name + suffix, weight)
            names[:] = [name + suffix for name in kind.parameter_shapes]
        self._flat_weights_names = list(itertools.chain(*self._all_weights))
        self._init_flat_weights()
        self._fill(self.init)

    def reset_parameters(self) -> None:
        """Initialise all parameters again by the scheme `init`, from PyTorch's global generator."""
        super().reset_parameters()
        if self._is_described:
            self._fill(self.init)

    def _fill(self, scheme: str) -> None:
        cell = cells.find(self.cell)
        initial.fill(scheme, self.max_time, cell, self.hidden_size, self.named_parameters())

    def flatten_parameters(self) -> None:
        """Move the weights into one block of memory for cuDNN; on a CPU this does nothing, as in PyTorch."""
        if self._is_described and self._kinds[0].is_torch:
            super().flatten_parameters()

    def freeze(self) -> Self:
        """Promise that the weights do not change, so that calls without a graph need not check them.

        Without this, each such call compares every weight with what the engine has packed, and so uses the tensors'
        current values, however they were changed. This costs little for a long sequence or a batch; a single step can
        take several times as long.

        A frozen layer still notices changes that PyTorch counts: by optimisers, by `load_state_dict`, by in-place
        operations, or by replacing a parameter or its `.data`. It does not notice changes that PyTorch does not count:
        writes through `.data`, a NumPy view or another process, or memory that was freed and reused. Call `repack`
        after such a change. Calls with a graph and compiled calls always read the weights. Copies of the layer are not
        frozen.

        Returns:
            The layer.
        """
        for bound in self._bound:
            bound.layer.frozen = True
        return self

    def unfreeze(self) -> Self:
        """Check the weights for changes again at every call. Returns the layer."""
        for bound in self._bound:
            bound.layer.frozen = False
        return self

    def repack(self) -> None:
        """Make the next call of a frozen layer check its weights; needed after a change that PyTorch does not count."""
        for bound in self._bound:
            bound.layer.forget()

    def train(self, mode: bool = True) -> Self:
        """As `torch.nn.Module.train`; `eval()` also frees the memory that is reused between large training steps."""
        if not mode:
            for bound in self._bound:
                bound.memory.free()
            operator.memory.free()
        return super().train(mode)

    def path(self, input: Tensor | PackedSequence, hx: Any = None) -> Path:
        """How a call with these arguments is computed: "native" (engine), "cudnn", or "reference" (equations)."""
        x = input.data if isinstance(input, PackedSequence) else input
        return find_path(self._kinds[0], x, states_of(hx), self._all_tensors())

    def forward(self, input: Any, hx: Any = None, lengths: Any = None) -> tuple[Any, Any]:
        """Return the outputs of the last layer at every step, and the final states of all layers.

        Args:
            input: (time, batch, input), with `batch_first` (batch, time, input), unbatched (time, input), or a
                PackedSequence.
            hx: the initial states as in PyTorch, (layers * directions, batch, size) each; zeros if None.
            lengths: (batch,) integers in any order, 0 to time: the steps of each sequence. Outputs past a length
                are 0; final states are taken at each sequence's end, and equal the initial ones for length 0.

        Returns:
            The output, laid out like `input` with directions * (proj_size or hidden_size) features, and the final
            states, shaped like hx.

        Raises:
            RuntimeError, ValueError: like PyTorch, for wrong shapes and dtypes.
            LengthsError: lengths that do not match the input.
        """
        if isinstance(input, PackedSequence):
            return trace(self, input, hx, lengths) if is_traced() else self._forward_packed(input, hx, lengths)
        random = self.training and (self.dropout or self.locked_dropout or self._bound[0].zoned)
        if lengths is None and self._kinds[0].is_native and not random:
            results = native.quick_stack(
                self._bound, input, states_of(hx), self._parameters, self._names, self.batch_first
            )
            if results is not None:
                return results
        if is_traced():
            return trace(self, input, hx, lengths)
        if isinstance(input, Proxy):
            return leaf(self, input, hx, lengths)
        if input.dim() != 3:
            return self._forward_unbatched(input, hx, lengths)
        batch, steps = input.shape[:2]
        order = BATCH_FIRST
        if not self.batch_first:
            order, batch, steps = TIME_MAJOR, steps, batch
        if lengths is not None:
            lengths = int64_lengths(lengths, batch)
            if not torch.compiler.is_compiling() and is_plain():
                check_range(lengths, steps)
        elif steps == 0:
            raise RuntimeError(
                "Expected sequence length to be larger than 0 in RNN; got no steps. "
                "Give lengths= if empty sequences are intended."
            )
        y, state = self._compute(input, states_of(hx), Layout(order, steps, batch, lengths))
        return y, (state if len(state) > 1 else state[0])

    def _forward_packed(self, input: PackedSequence, hx: Any, lengths: Any) -> tuple[PackedSequence, Any]:
        if lengths is not None:
            raise ConfigError("a PackedSequence has its own lengths. Leave lengths= out.")
        if is_exporting():
            raise ConfigError("torch.export can't record a PackedSequence. Give the padded sequences and lengths=.")
        x, batch_sizes, sorted_indices, unsorted_indices = input
        if not torch.compiler.is_compiling() and is_plain():
            check_packed(x, batch_sizes, sorted_indices, unsorted_indices)
        state = states_of(hx)
        if sorted_indices is not None:
            check_memory(*state)
            state = tuple([each.index_select(1, sorted_indices) for each in state])
        layout = Layout(PACKED, len(batch_sizes), int(batch_sizes[0]), None, batch_sizes.contiguous())
        y, state = self._compute(x, state, layout, sorted_indices)
        if unsorted_indices is not None:
            state = tuple([each.index_select(1, unsorted_indices) for each in state])
        output = PackedSequence(y, batch_sizes, sorted_indices, unsorted_indices)
        return output, (state if len(state) > 1 else state[0])

    def __prepare_scriptable__(self) -> Self:
        """Called by torch.jit.script; raises."""
        return refuse_script(self)

    def _forward_unbatched(self, input: Tensor, hx: Any, lengths: Any) -> tuple[Tensor, Any]:
        name = type(self).__name__
        if input.dim() != 2:
            raise ValueError(f"{name}: Expected input to be 2D or 3D, got {input.dim()}D instead")
        if lengths is not None:
            raise ConfigError("lengths= needs batched, 3-D input; shorten a single sequence instead.")
        state = states_of(hx)
        if any(each.dim() != 2 for each in state):
            dims = ", ".join(f"{each.dim()}-D" for each in state)
            raise RuntimeError(f"For unbatched 2-D input, hx should also be 2-D but got {dims} tensors")
        batch_axis = 0 if self.batch_first else 1
        state = tuple([each.unsqueeze(1) for each in state])
        y, final = self.forward(input.unsqueeze(batch_axis), state if len(state) > 1 else (*state, None)[0])
        final = final.squeeze(1) if isinstance(final, Tensor) else tuple([each.squeeze(1) for each in final])
        return y.squeeze(batch_axis), final

    def _tensors(self, layer: int) -> list[Tensor]:
        """Return a layer's current weights: functional_call, pruning and parametrisations replace them."""
        parameters = self._parameters
        try:
            return [parameters[name] for name in self._names[layer]]  # type: ignore[misc]
        except KeyError:
            return [getattr(self, name) for name in self._names[layer]]

    def _all_tensors(self) -> list[Tensor]:
        return [tensor for layer in range(self.num_layers) for tensor in self._tensors(layer)]

    def _compute(self, x: Tensor, state: State, layout: Layout, numbers: Tensor | None = None) -> tuple[Tensor, State]:
        weights = [self._tensors(layer) for layer in range(self.num_layers)]
        dtype = weights[0][0].dtype
        if x.dtype != dtype and torch.is_autocast_enabled(x.device.type):
            x, state = x.to(dtype), tuple([each.to(dtype) for each in state])
        if not self._fits(x, state, layout):
            refuse_shapes(self, x, state, layout)
        path = find_path(self._kinds[0], x, state, itertools.chain(*weights))
        if path == "cudnn" and self.locked_dropout and self.training:
            path = "reference"  # cuDNN runs all layers at once
        if path != "native":  # find_path has already checked dtypes and devices
            check_types(x, state, dtype)
        if path == "cudnn":
            return cudnn.run(self, x, state, layout)
        if path == "reference":
            check_memory(x, *state, *itertools.chain(*weights))
        directions, finals = self._bound[0].directions, []
        masks = self._draw(numbers) if self.training and self._bound[0].zoned else None
        for k in range(self.num_layers):
            layer_state = (
                state if len(weights) == 1 else tuple([each[k * directions : (k + 1) * directions] for each in state])
            )
            draw = None if masks is None else replace(masks, layer=k)
            x, *final = self._run(path, k, layout, x, layer_state, weights[k], draw)
            finals.append(final)
            if self.dropout and self.training and k < self.num_layers - 1:
                x = _drop(x, self.dropout, layout)
            if self.locked_dropout and self.training and k < self.num_layers - 1:
                x = _drop_locked(x, self.locked_dropout, layout)
        if len(finals) == 1:
            return x, tuple(finals[0])
        return x, tuple([torch.cat(each) for each in zip(*finals, strict=True)])

    def _run(
        self,
        path: Path,
        k: int,
        layout: Layout,
        x: Tensor,
        state: State,
        weights: list[Tensor],
        draw: cells.Draw | None,
    ) -> tuple[Tensor, ...]:
        """Run layer k on the engine, by the equations, or as a node of ONNX; return y and its final states."""
        if path == "reference":
            with reference.no_autocast(x):
                return reference.layer(self._kinds[k], layout, x, state, weights, draw)
        if path == "onnx":
            if draw is not None:
                raise ConfigError("ONNX can't record the masks of zoneout. Call eval() before the export.")
            return onnx_node.layer(self._kinds[k], layout, x, state, weights)
        return native.layer(self._bound[k], layout, x, state, weights, draw)

    def _draw(self, numbers: Tensor | None) -> cells.Draw:
        """Draw the masks of zoneout. Packed data is sorted, so `numbers` are the sequences' own."""
        return cells.Draw(draw_seed(), numbers=None if numbers is None else numbers.to("cpu", torch.int64))

    def _fits(self, x: Tensor, state: State, layout: Layout) -> bool:
        """Whether input and states have the right shapes."""
        bound, batch = self._bound[0], layout.batch
        rows = self.num_layers * bound.directions
        if x.shape[-1] != self.input_size or x.dim() != (2 if layout.order == PACKED else 3):
            return False
        for each, size in zip(state, bound.state_sizes, strict=False):
            if each.shape != (rows, batch, size):
                return False
        return not state or len(state) == len(bound.state_sizes)

    def extra_repr(self) -> str:
        """The arguments that differ from their defaults."""
        return super().extra_repr() + extras(self._kinds[0], self.init, self.max_time)


def _drop(y: Tensor, probability: float, layout: Layout) -> Tensor:
    """Apply dropout with a mask drawn in time order, as PyTorch draws it."""
    if layout.order == BATCH_FIRST:
        mask = functional.dropout(y.new_ones(layout.steps, layout.batch, y.shape[2]), probability)
        return y * mask.transpose(0, 1)
    return functional.dropout(y, probability)


def _drop_locked(y: Tensor, probability: float, layout: Layout) -> Tensor:
    """Apply dropout with one mask for all steps of a sequence."""
    if layout.order == PACKED:
        raise ConfigError(
            "locked dropout needs padded sequences. Give these and lengths=, in place of a PackedSequence."
        )
    shape = (layout.batch, 1) if layout.order == BATCH_FIRST else (1, layout.batch)
    return y * functional.dropout(y.new_ones(*shape, y.shape[2]), probability)
