"""Training objectives for signals: classes or numbers, with noise, input dropout, and mixtures of two signals."""

from dataclasses import dataclass

import torch
from torch import Tensor

from penstock.nn import NetworkModule
from penstock.training.classify import ClassObjective
from penstock.training.regress import RegressionObjective
from penstock.training.sequence_objective import Mixture, Regularization, SequenceObjective

__all__ = ["SignalClassObjective", "SignalRegressionObjective", "SignalRegularization"]


@dataclass(frozen=True, kw_only=True)
class SignalRegularization(Regularization):
    """Regularisation of signals in addition to `Regularization`; shares are from 0 to below 1.

    Attributes:
        input_dropout: dropout probability of the network's input.
        noise: standard deviation of noise on the network's input, which is standardised.
        mixup: the largest share of another signal, and of its loss, that is mixed into a signal (Zhang et al. 2018).
    """

    input_dropout: float
    noise: float
    mixup: float


@dataclass(frozen=True, kw_only=True)
class _SignalObjective(SequenceObjective):
    regularization: SignalRegularization

    def mixture(self, batch: int) -> Mixture | None:
        """Choose another signal of the batch to mix with; most shares are small, the largest is `mixup`."""
        if not self.regularization.mixup:
            return None
        partner = torch.randperm(batch, generator=self.generator)
        return Mixture(partner, self.regularization.mixup * torch.rand(batch, generator=self.generator) ** 3)

    def encoded(self, module: NetworkModule, values: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return the encoder's outputs for augmented inputs."""
        x = values
        if self.regularization.noise:
            x = x + self.regularization.noise * torch.randn(x.shape, generator=self.generator)
        x = self.drop(x, self.regularization.input_dropout)
        return module.encoder(module.inputs(x), lengths=lengths)[0], lengths


@dataclass(frozen=True, kw_only=True)
class SignalClassObjective(_SignalObjective, ClassObjective):
    """Cross-entropy of signals."""


@dataclass(frozen=True, kw_only=True)
class SignalRegressionObjective(_SignalObjective, RegressionObjective):
    """Squared or Huber error of signals."""
