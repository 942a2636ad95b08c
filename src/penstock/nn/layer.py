"""What the recurrent layers share: PyTorch's module, with lengths, run by the engine wherever that is possible."""

import itertools
from collections.abc import Callable
from typing import Any, ClassVar, Self

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.parameter import Parameter
from torch.nn.utils.rnn import PackedSequence

from penstock import cells
from penstock.errors import ConfigError
from penstock.nn import cudnn, initial, native, operator, reference
from penstock.nn.autograd import Bound
from penstock.nn.checks import (
    check_memory,
    check_packed,
    check_types,
    refuse_proxy,
    refuse_script,
    refuse_shapes,
    states_of,
)
from penstock.nn.layer_spec import BATCH_FIRST, PACKED, TIME_MAJOR, LayerSpec, Layout
from penstock.nn.lengths import check_range, own_lengths
from penstock.nn.paths import Path, find_path, is_plain, is_traced

__all__ = ["RecurrentLayers", "extras"]

State = tuple[Tensor, ...]


class RecurrentLayers(torch.nn.RNNBase):
    """A stack of recurrent layers: `torch.nn.RNNBase` in all that it holds, Penstock's in how it runs.

    Not a subclass of torch.nn.LSTM and its siblings, because torch.compile refuses those by `isinstance`.
    """

    cell: ClassVar[str]
    torch_forward: ClassVar[Callable[..., Any]]

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
        given = cells.own_options(cell, {"proj_size": proj_size, **options})
        self._kinds = self._describe(input_size, hidden_size, num_layers, given, bias=bias, bidirectional=bidirectional)
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
    def _is_described(self) -> bool:
        """False while PyTorch's constructor runs: then not all parameters are there."""
        return "_kinds" in vars(self)

    def _complete_parameters(self, device: Any, dtype: Any) -> None:
        """The parameters that the cell declares, where PyTorch has made none, or those of another cell."""
        bound = self.hidden_size**-0.5
        for number, names in enumerate(self._all_weights):
            kind, suffix = self._kinds[number // self._kinds[0].directions], names[0].removeprefix("weight_ih")
            for name, shape in kind.parameter_shapes.items():
                made = self._parameters.get(name + suffix)
                if made is None or made.shape != shape:
                    weight = Parameter(torch.empty(shape, device=device, dtype=dtype))
                    torch.nn.init.uniform_(weight, -bound, bound)
                    self.register_parameter(name + suffix, weight)
            names[:] = [name + suffix for name in kind.parameter_shapes]
        self._flat_weights_names = list(itertools.chain(*self._all_weights))
        self._init_flat_weights()
        self._fill(self.init)

    def reset_parameters(self) -> None:
        """Draw all parameters anew, by the scheme given as `init`, from PyTorch's global generator."""
        super().reset_parameters()
        if self._is_described:
            self._fill(self.init)

    def _fill(self, scheme: str) -> None:
        cell = cells.find(self.cell)
        initial.fill(scheme, self.max_time, cell, self.hidden_size, self.named_parameters())

    def flatten_parameters(self) -> None:
        """Lay the weights out in one block for cuDNN; on a CPU there is nothing to do, as in PyTorch."""
        if self._is_described and self._kinds[0].is_torch:
            super().flatten_parameters()

    def freeze(self) -> Self:
        """Promise that the weights stay as they are, so that calls without a graph need not look at them.

        Without this, each such call compares every weight with what the engine has packed, and so answers with what
        the tensors hold, however they were changed. A long sequence or a batch takes little more for that; a single
        step can take several times as long.

        With it, a change that PyTorch counts is seen all the same: by optimisers, `load_state_dict`, operations in
        place, another tensor in a parameter's place or in its `.data`. Not seen is a change that it does not count: of
        what `.data`, a NumPy view or another process's view holds, or of memory that was freed and filled anew. Call
        `repack` after such a one. Calls with a graph and compiled ones read the weights in any case. Copies of the
        layer are not frozen.

        Returns:
            the layer.
        """
        for bound in self._bound:
            bound.layer.frozen = True
        return self

    def unfreeze(self) -> Self:
        """Look at the weights again at every call. Returns the layer."""
        for bound in self._bound:
            bound.layer.frozen = False
        return self

    def repack(self) -> None:
        """Look at the weights of a frozen layer at the next call, which then sees any change; else there is no need."""
        for bound in self._bound:
            bound.layer.forget()

    def train(self, mode: bool = True) -> Self:
        """As `torch.nn.Module.train`; `eval()` also gives back the memory that large training steps keep."""
        if not mode:
            for bound in self._bound:
                bound.kept.drop()
            operator.kept.drop()
        return super().train(mode)

    def path(self, input: Tensor | PackedSequence, hx: Any = None) -> Path:
        """How this very call would be computed: "native" (the engine), "cudnn", or "reference" (the equations)."""
        x = input.data if isinstance(input, PackedSequence) else input
        return find_path(self._kinds[0], x, states_of(hx), self._all_tensors())

    def forward(self, input: Any, hx: Any = None, lengths: Any = None) -> tuple[Any, Any]:
        """The outputs of the last layer at every step, and the final states of all layers.

        Args:
            input: (time, batch, input), with `batch_first` (batch, time, input), unbatched (time, input), or a
                PackedSequence.
            hx: the initial states as in PyTorch, (layers * directions, batch, size) each; zeros if None.
            lengths: (batch,) integers in any order, 0 to time: the steps of each sequence. Outputs past a length
                are 0, final states are those at a sequence's own end, the initial ones for length 0.

        Returns:
            output, as `input` with directions * (proj_size or hidden_size) features, and the final states, as hx.

        Raises:
            RuntimeError, ValueError: as PyTorch does, for shapes and dtypes.
            LengthsError: lengths that don't fit the input.
        """
        if isinstance(input, PackedSequence):
            return self._forward_traced(input, hx, lengths) if is_traced() else self._forward_packed(input, hx, lengths)
        if lengths is None and self._kinds[0].is_native and not (self.dropout and self.training):
            results = native.quick_stack(
                self._bound, input, states_of(hx), self._parameters, self._names, self.batch_first
            )
            if results is not None:
                return results
        if is_traced():
            return self._forward_traced(input, hx, lengths)
        refuse_proxy(self, input)
        if input.dim() != 3:
            return self._forward_unbatched(input, hx, lengths)
        batch, steps = input.shape[:2]
        order = BATCH_FIRST
        if not self.batch_first:
            order, batch, steps = TIME_MAJOR, steps, batch
        if lengths is not None:
            lengths = own_lengths(lengths, batch)
            if not torch.compiler.is_compiling() and is_plain():
                check_range(lengths, steps)
        elif steps == 0:
            raise RuntimeError(
                "Expected sequence length to be larger than 0 in RNN; got no steps. "
                "Give lengths= if empty sequences are meant."
            )
        y, state = self._compute(input, states_of(hx), Layout(order, steps, batch, lengths))
        return y, (state if len(state) > 1 else state[0])

    def _forward_packed(self, input: PackedSequence, hx: Any, lengths: Any) -> tuple[PackedSequence, Any]:
        if lengths is not None:
            raise ConfigError("a PackedSequence knows its lengths; got lengths= as well. Leave them out.")
        x, batch_sizes, sorted_indices, unsorted_indices = input
        if not torch.compiler.is_compiling() and is_plain():
            check_packed(x, batch_sizes, sorted_indices, unsorted_indices)
        state = states_of(hx)
        if sorted_indices is not None:
            check_memory(*state)
            state = tuple([each.index_select(1, sorted_indices) for each in state])
        layout = Layout(PACKED, len(batch_sizes), int(batch_sizes[0]), None, batch_sizes.contiguous())
        y, state = self._compute(x, state, layout)
        if unsorted_indices is not None:
            state = tuple([each.index_select(1, unsorted_indices) for each in state])
        output = PackedSequence(y, batch_sizes, sorted_indices, unsorted_indices)
        return output, (state if len(state) > 1 else state[0])

    def _forward_traced(self, input: Any, hx: Any, lengths: Any) -> tuple[Any, Any]:
        """As PyTorch's own layer, a single operation in the trace; our equations would fix the number of steps."""
        if lengths is not None or not self._kinds[0].is_torch:
            what = (
                "lengths=" if lengths is not None else f"a {type(self).__name__}{extras(self._kinds[0], 'torch', None)}"
            )
            raise ConfigError(
                f"torch.jit.trace can't record {what}: it would fix the number of steps at the example's. "
                "Use torch.export or torch.compile, or pack_padded_sequence in place of lengths."
            )
        return self.torch_forward(input, hx)

    def __prepare_scriptable__(self) -> Self:
        """What torch.jit.script asks for first."""
        return refuse_script(self)

    def _forward_unbatched(self, input: Tensor, hx: Any, lengths: Any) -> tuple[Tensor, Any]:
        name = type(self).__name__
        if input.dim() != 2:
            raise ValueError(f"{name}: Expected input to be 2D or 3D, got {input.dim()}D instead")
        if lengths is not None:
            raise ConfigError("lengths= is for batched, 3-D input; cut a single sequence instead.")
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
        """The weights of a layer, where they are now: functional_call, pruning and parametrisations swap them."""
        parameters = self._parameters
        try:
            return [parameters[name] for name in self._names[layer]]  # type: ignore[misc]
        except KeyError:
            return [getattr(self, name) for name in self._names[layer]]

    def _all_tensors(self) -> list[Tensor]:
        return [tensor for layer in range(self.num_layers) for tensor in self._tensors(layer)]

    def _compute(self, x: Tensor, state: State, layout: Layout) -> tuple[Tensor, State]:
        weights = [self._tensors(layer) for layer in range(self.num_layers)]
        dtype = weights[0][0].dtype
        if x.dtype != dtype and torch.is_autocast_enabled(x.device.type):
            x, state = x.to(dtype), tuple([each.to(dtype) for each in state])
        if not self._fits(x, state, layout):
            refuse_shapes(self, x, state, layout)
        path = find_path(self._kinds[0], x, state, itertools.chain(*weights))
        if path != "native":  # which is a word for all dtypes and devices
            check_types(x, state, dtype)
        if path == "cudnn":
            return cudnn.run(self, x, state, layout)
        if path == "reference":
            check_memory(x, *state, *itertools.chain(*weights))
        directions, finals = self._bound[0].directions, []
        for k in range(self.num_layers):
            own = state if len(weights) == 1 else tuple([each[k * directions : (k + 1) * directions] for each in state])
            x, *final = self._run(path, k, layout, x, own, weights[k])
            finals.append(final)
            if self.dropout and self.training and k < self.num_layers - 1:
                x = _drop(x, self.dropout, layout)
        if len(finals) == 1:
            return x, tuple(finals[0])
        return x, tuple([torch.cat(each) for each in zip(*finals, strict=True)])

    def _run(
        self, path: Path, k: int, layout: Layout, x: Tensor, state: State, weights: list[Tensor]
    ) -> tuple[Tensor, ...]:
        """Layer k by the engine or by the equations: y and its final states."""
        if path == "reference":
            with reference.own_precision(x):
                return reference.layer(self._kinds[k], layout, x, state, weights)
        return native.layer(self._bound[k], layout, x, state, weights)

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
        """The arguments that are not defaults."""
        return super().extra_repr() + extras(self._kinds[0], self.init, self.max_time)


def extras(kind: LayerSpec, init: str, max_time: int | None) -> str:
    """What Penstock's layers have beyond PyTorch's, where it isn't the default, as `repr` shows it."""
    declared, torch_options = kind.declaration.options, kind.declaration.torch_options
    beyond = kind.options if torch_options is None else {name: kind.options[name] for name in torch_options}
    text = "".join(f", {name}={value!r}" for name, value in beyond.items() if value != declared[name].default)
    text += f", init={init!r}" if init != "torch" else ""
    return text + (f", max_time={max_time}" if max_time is not None else "")


def _drop(y: Tensor, probability: float, layout: Layout) -> Tensor:
    """Dropout, its mask drawn in the order of time, as PyTorch draws it."""
    if layout.order == BATCH_FIRST:
        mask = functional.dropout(y.new_ones(layout.steps, layout.batch, y.shape[2]), probability)
        return y * mask.transpose(0, 1)
    return functional.dropout(y, probability)
