"""Training objective of text classifiers, with word dropout and an auxiliary loss for predicting the next token."""

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor
from torch.nn import functional

from penstock.nn import NetworkModule
from penstock.training.classify import ClassObjective, Regularization

__all__ = ["TokenObjective", "TokenRegularization"]

_NEXT_TOKEN_DROPOUT = 0.2
# Maximum random tokens per batch for the auxiliary loss: with long texts, all would cost more than the recurrence.
_NEXT_TOKENS = 1024


@dataclass(frozen=True, kw_only=True)
class TokenRegularization(Regularization):
    """Regularisation of texts in addition to `Regularization`; shares are from 0 to below 1.

    Attributes:
        word_dropout: share of tokens replaced by unknown ones.
        embedding_dropout: dropout probability of the tokens' vectors.
        next_token_share: weight of the auxiliary loss for predicting each next token (Rei 2017); needs the module's
            `next_token`.
    """

    word_dropout: float
    embedding_dropout: float
    next_token_share: float


@dataclass(frozen=True, kw_only=True)
class TokenObjective(ClassObjective):
    """Cross-entropy of sequences of ids, with dropout of tokens and of their vectors, and a next-token loss.

    `sequences` has two ids for each step, (total, 2): the token's id, and its id if it were unknown; `valid_sequences`
    has only the first, (total,).
    """

    regularization: TokenRegularization

    def encoded(self, module: NetworkModule, values: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return the encoder's outputs, with dropout."""
        known, unknown = values.unbind(-1)
        hidden = torch.where(self.chosen(known.shape, self.regularization.word_dropout), unknown, known)
        x = self.drop(module.inputs(hidden), self.regularization.embedding_dropout)
        return module.encoder(x, lengths=lengths)[0], lengths

    def further(
        self,
        module: NetworkModule,
        y: Tensor,
        values: Tensor,
        lengths: Tensor,
        target: Tensor,
        weights: Tensor | None,
    ) -> Tensor | float:
        """Return the loss of the next tokens, weighted like their sequences."""
        share = self.regularization.next_token_share
        if not share or int(lengths.max()) <= 1:
            return 0.0
        return share * self._next_token(module, y, values[..., 0], lengths, weights)

    def _next_token(
        self, module: NetworkModule, y: Tensor, ids: Tensor, lengths: Tensor, weights: Tensor | None
    ) -> Tensor:
        """Cross-entropy of each next id among the ids of the batch, scored with their input vectors."""
        (places,) = (torch.arange(1, ids.shape[1] + 1) < lengths[:, None]).flatten().nonzero(as_tuple=True)
        if len(places) > _NEXT_TOKENS:
            places = places[torch.randperm(len(places), generator=self.generator)[:_NEXT_TOKENS]]
        candidates, targets = ids.flatten()[places + 1].unique(return_inverse=True)
        state = y.flatten(0, 1).index_select(0, places)  # its gradient is much faster than that of y[row, step]
        next_token = cast(torch.nn.Linear, module.next_token)
        prediction = next_token(self.drop(state, _NEXT_TOKEN_DROPOUT))
        scores = prediction @ module.inputs(candidates).T
        if weights is None:
            return functional.cross_entropy(scores, targets)
        each = functional.cross_entropy(scores, targets, reduction="none")
        return (each * weights[places // ids.shape[1]]).mean()
