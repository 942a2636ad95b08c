"""Dynamic evaluation: a model goes on learning from what it has just predicted (Krause et al. 2018, 1709.07432)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock.checks import check_number
from penstock.errors import MissingExtraError
from penstock.language.scorer import shifted
from penstock.network.checks import check_integer
from penstock.sequences import Sequences

if TYPE_CHECKING:
    import torch

    from penstock.language.model import SequenceGenerator

__all__ = ["DynamicEvaluation"]


@dataclass(frozen=True, kw_only=True)
class DynamicEvaluation:
    """Predicts a span of a text, then takes a step of gradient descent on it, and so on.

    After each span the weights w change by

        w <- w - learning_rate * gradient + decay * (trained w - w)

    with the gradient of the mean loss of the span. Each text is begun with the trained weights, and the model itself is
    not changed. This is the paper's rule without its scaling by the root of mean squared gradients (RMS), which would
    need the training data. It needs PyTorch: `pip install 'penstock[train]'`.

    Args:
        learning_rate: step size, above 0; validation data should choose it.
        decay: share of the way back to the trained weights after each span, from 0 to below 1.
        steps: tokens or frames of a span, 1 or more.

    Raises:
        ConfigError: a value is out of its range.

    Examples:
        >>> from penstock.language.dynamic import DynamicEvaluation
        >>> DynamicEvaluation(steps=10).decay
        0.001
    """

    learning_rate: float = 0.1
    decay: float = 0.001
    steps: int = 20

    def __post_init__(self) -> None:
        check_integer(self, "steps", at_least=1)
        check_number("learning_rate", self.learning_rate, above=0)
        check_number("decay", self.decay, at_least=0, below=1)

    def log_probabilities(self, model: "SequenceGenerator", sequences: Sequences) -> NDArray[np.float32]:
        """Return the log-probability of each step of each sequence, (total,).

        Args:
            model: a language model.
            sequences: the result of its `sequences`.

        Raises:
            MissingExtraError: PyTorch is not installed.
        """
        try:
            from penstock.training import random_scope
        except ModuleNotFoundError as error:
            if error.name != "torch":
                raise
            raise MissingExtraError("dynamic evaluation needs PyTorch: pip install 'penstock[train]'") from error
        inputs, parts = shifted(sequences, model.features.first), [np.zeros(0, np.float32)]
        with random_scope(0):
            for x, targets in zip(inputs, sequences, strict=True):
                parts += self._learned(_module(model), x, targets)
        return np.concatenate(parts)

    def _learned(self, module: Any, inputs: NDArray[Any], targets: NDArray[Any]) -> list[NDArray[np.float32]]:
        import torch

        trained = [each.detach().clone() for each in module.parameters()]
        found, state = [], None
        for start in range(0, len(targets), self.steps):
            x, target = (_tensor(each[start : start + self.steps]) for each in (inputs, targets))
            y, state = module.encode(module.vectors(x[None]), state)
            losses = module.head.losses(y[0], target, module.table)
            found.append(-losses.detach().numpy())
            state = _mapped(state, torch.Tensor.detach)
            self._step(module, trained, losses.mean())
        return found

    def _step(self, module: Any, trained: list["torch.Tensor"], loss: "torch.Tensor") -> None:
        import torch

        gradients = torch.autograd.grad(loss, list(module.parameters()), allow_unused=True)
        with torch.no_grad():
            for weight, gradient, start in zip(module.parameters(), gradients, trained, strict=True):
                if gradient is not None:  # None: a cluster of an adaptive softmax without a token in this span
                    weight.sub_(self.learning_rate * gradient)
                weight.lerp_(start, self.decay)


def _module(model: "SequenceGenerator") -> Any:
    """Return the model as a module of its own."""
    import torch

    from penstock import nn

    module = nn.build(model.network)
    module.load_state_dict({name: torch.tensor(array) for name, array in model.tensors.items()})
    return module.eval()


def _tensor(values: NDArray[Any]) -> "torch.Tensor":
    import torch

    return torch.from_numpy(np.ascontiguousarray(values if values.dtype == np.float32 else values.astype(np.int64)))


def _mapped(state: Any, function: Any) -> Any:
    return tuple(_mapped(each, function) for each in state) if isinstance(state, tuple) else function(state)
