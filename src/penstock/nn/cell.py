"""Base class of the cells, which are layers of a single step."""

from typing import Any, ClassVar, Self

import torch
from torch import Tensor
from torch.fx import Proxy
from torch.nn.parameter import Parameter

from penstock import cells
from penstock.nn import initial, native, reference
from penstock.nn.autograd import Bound
from penstock.nn.checks import check_memory, states_of
from penstock.nn.layer_spec import LayerSpec
from penstock.nn.paths import Path, find_path
from penstock.nn.recorded import extras, leaf, refuse_script
from penstock.nn.seeds import draw_seed

__all__ = ["RecurrentCell"]


class RecurrentCell(torch.nn.RNNCellBase):
    """One step of one layer: holds the parameters of `torch.nn.RNNCellBase`, computes on the engine."""

    cell: ClassVar[str]

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool,
        device: Any,
        dtype: Any,
        *,
        init: str,
        max_time: int | None = None,
        **options: Any,
    ) -> None:
        declaration = cells.find(self.cell)
        initial.check(init, max_time, declaration, bias)
        self.init, self.max_time = init, max_time
        gates = len(declaration.gates)
        super().__init__(input_size, hidden_size, bias, num_chunks=gates, device=device, dtype=dtype)
        self._kind = LayerSpec.make(self.cell, input_size, hidden_size, options, bias=bool(bias))
        self._bound = Bound(self._kind)
        self._names = tuple(self._kind.parameter_shapes)
        for name, shape in self._kind.parameter_shapes.items():
            if name not in self._parameters:  # PyTorch has not made it
                weight = Parameter(torch.empty(shape, device=device, dtype=dtype))
                torch.nn.init.uniform_(weight, -(hidden_size**-0.5), hidden_size**-0.5)
                initial.fill(init, max_time, declaration, hidden_size, [(name, weight)])
                self.register_parameter(name, weight)

    def reset_parameters(self) -> None:
        """Initialise all parameters again by the scheme `init`, from PyTorch's global generator."""
        super().reset_parameters()
        cell = cells.find(self.cell)
        initial.fill(self.init, self.max_time, cell, self.hidden_size, self.named_parameters())

    def extra_repr(self) -> str:
        """The arguments that differ from their defaults."""
        return super().extra_repr() + extras(self._kind, self.init, self.max_time)

    def freeze(self) -> Self:
        """Promise that the weights do not change, like `penstock.nn.LSTM.freeze`. Returns the cell."""
        self._bound.layer.frozen = True
        return self

    def unfreeze(self) -> Self:
        """Check the weights for changes again at every step. Returns the cell."""
        self._bound.layer.frozen = False
        return self

    def repack(self) -> None:
        """Make the next step of a frozen cell check its weights; needed after a change that PyTorch does not count."""
        self._bound.layer.forget()

    def path(self, input: Tensor, hx: Any = None) -> Path:
        """How a call with these arguments is computed: "native" (the engine) or "reference" (the equations)."""
        return self._path(input, states_of(hx), self._tensors())

    def __prepare_scriptable__(self) -> Self:
        """Called by torch.jit.script; raises."""
        return refuse_script(self)

    def _path(self, x: Tensor, state: tuple[Tensor, ...], weights: list[Tensor]) -> Path:
        path = find_path(self._kind, x, state, weights)
        return "reference" if path in ("cudnn", "onnx") else path  # neither has single steps

    def _tensors(self) -> list[Tensor]:
        try:
            return [self._parameters[name] for name in self._names]  # type: ignore[misc]
        except KeyError:
            return [getattr(self, name) for name in self._names]

    def _step(self, x: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Return the new states for x (batch, input) or (input,)."""
        masked = self.training and self._bound.zoned
        if not masked:
            results = native.quick_step((self._bound,), x, state, self._parameters, (self._names,))
            if results is not None:
                return results
        if isinstance(x, Proxy):
            node, states = leaf(self, x, state if len(state) > 1 else (*state, None)[0]), len(self._bound.state_sizes)
            return tuple([node[k] for k in range(states)]) if states > 1 else (node,)
        weights = self._tensors()
        dtype = weights[0].dtype
        if x.dtype != dtype and torch.is_autocast_enabled(x.device.type):
            x, state = x.to(dtype), tuple([each.to(dtype) for each in state])
        self._check(x, state)
        if x.dim() == 1:
            batch_of_one = self._step(x.unsqueeze(0), tuple([each.unsqueeze(0) for each in state]))
            return tuple([each.squeeze(0) for each in batch_of_one])
        draw = cells.Draw(draw_seed()) if masked else None
        if self._path(x, state, weights) == "native":
            return native.step(self._bound, x, state, weights, draw)
        check_memory(x, *state, *weights)
        with reference.no_autocast(x):
            return self._by_equations(x, state, weights, draw)

    def _by_equations(
        self, x: Tensor, state: tuple[Tensor, ...], weights: list[Tensor], draw: cells.Draw | None
    ) -> tuple[Tensor, ...]:
        kind = self._kind
        if not state:
            state = tuple([x.new_zeros((*x.shape[:-1], size)) for size in kind.state_sizes])
        parameters = dict(zip(kind.parameter_shapes, weights, strict=True))
        new = kind.declaration.step(x, state, parameters, **kind.options)
        return cells.Zoneout(kind.zoneout, draw)(state, new) if self._bound.zoned else new

    def _check(self, x: Tensor, state: tuple[Tensor, ...]) -> None:
        """Check that input and states match the cell.

        Raises:
            RuntimeError, ValueError: worded like PyTorch's.
        """
        name = type(self).__name__
        if x.dim() not in (1, 2):
            raise ValueError(f"{name}: Expected input to be 1D or 2D, got {x.dim()}D instead")
        if x.shape[-1] != self.input_size:
            raise RuntimeError(f"input has inconsistent input_size: got {x.shape[-1]} expected {self.input_size}")
        if state and len(state) != len(self._bound.state_sizes):
            raise RuntimeError(
                f"{name}: hx must be ({', '.join(self._kind.declaration.states)}); got {len(state)} tensors"
            )
        for k, each in enumerate(state):
            if each.dim() not in (1, 2):
                label = "hidden" if len(state) == 1 else f"hx[{k}]"
                raise ValueError(f"{name}: Expected {label} to be 1D or 2D, got {each.dim()}D instead")
            if each.dim() != x.dim():
                raise RuntimeError(f"{name}: Expected hidden{k} to be {x.dim()}D as input, got {each.dim()}D instead")
            if each.shape[:-1] != x.shape[:-1]:
                raise RuntimeError(f"Input batch size {len(x)} doesn't match hidden{k} batch size {len(each)}")
            if each.shape[-1] != self.hidden_size:
                raise RuntimeError(
                    f"hidden{k} has inconsistent hidden_size: got {each.shape[-1]}, expected {self.hidden_size}"
                )
            if each.dtype != x.dtype:
                raise RuntimeError(f"expected hidden{k} to have the dtype of input, {x.dtype}; got {each.dtype}")
