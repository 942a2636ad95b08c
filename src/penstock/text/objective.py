"""The objective of texts: classes, with tokens hidden at random, and a second loss for predicting the next token."""

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor
from torch.nn import functional

from penstock.nn import NetworkModule
from penstock.training.classify import ClassObjective, Regularization

__all__ = ["TokenObjective", "TokenRegularization"]

_NEXT_TOKEN_DROPOUT = 0.2
# Of a batch, at random: all of a batch of sentences; of long texts, all would cost more than the sweep over time.
_NEXT_TOKENS = 1024


@dataclass(frozen=True, kw_only=True)
class TokenRegularization(Regularization):
    """Shares from 0 to below 1 that only tokens know, beside those of `Regularization`.

    word_dropout: tokens made unknown
    embedding_dropout: numbers of the tokens' vectors set to 0
    next_token_share: as much again of the loss, for predicting each next id of a sequence (Rei 2017); needs the
        module's `next_token`
    """

    word_dropout: float
    embedding_dropout: float
    next_token_share: float


@dataclass(frozen=True, kw_only=True)
class TokenObjective(ClassObjective):
    """Cross-entropy of sequences of ids, with dropout of tokens and of their vectors, and of each next id.

    `sequences` has two ids for each step, (total, 2): the token's own, and the one it has where it is unknown;
    `valid_sequences` the first alone, (total,).
    """

    regularization: TokenRegularization

    def encoded(self, module: NetworkModule, values: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """The encoder's outputs, dropout on."""
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
        """The loss of the next ids, each as its sequence counts."""
        share = self.regularization.next_token_share
        if not share or int(lengths.max()) <= 1:
            return 0.0
        return share * self._next_token(module, y, values[..., 0], lengths, weights)

    def _next_token(
        self, module: NetworkModule, y: Tensor, ids: Tensor, lengths: Tensor, weights: Tensor | None
    ) -> Tensor:
        """Cross-entropy of each next id among those of the batch, scored by the ids' own input vectors."""
        (places,) = (torch.arange(1, ids.shape[1] + 1) < lengths[:, None]).flatten().nonzero(as_tuple=True)
        if len(places) > _NEXT_TOKENS:
            places = places[torch.randperm(len(places), generator=self.generator)[:_NEXT_TOKENS]]
        candidates, right = ids.flatten()[places + 1].unique(return_inverse=True)
        state = y.flatten(0, 1).index_select(0, places)  # whose gradient is much faster than that of y[row, step]
        next_token = cast(torch.nn.Linear, module.next_token)
        guess = next_token(self.drop(state, _NEXT_TOKEN_DROPOUT))
        scores = guess @ module.inputs(candidates).T
        if weights is None:
            return functional.cross_entropy(scores, right)
        each = functional.cross_entropy(scores, right, reduction="none")
        return (each * weights[places // ids.shape[1]]).mean()
