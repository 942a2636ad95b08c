"""Inputs and head of taggers in PyTorch."""

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.parameter import Parameter

from penstock.nn.chain import log_partition, path_scores
from penstock.nn.heads import linear_parameters
from penstock.nn.network import recurrent_layers
from penstock.tagging.spec import SpelledWords, TagHead
from penstock.tagging.spellings import distinct

__all__ = ["FORBIDDEN", "SpelledWordsModule", "TagHeadModule"]

FORBIDDEN = -10_000.0
"""The score of a forbidden transition. Its exponential is 0, and so is its gradient: it stays forbidden in training."""


class SpelledWordsModule(torch.nn.Module):
    """The vectors of words: rows of a table, beside those of pairs, and what two layers read of the spelling.

    Args:
        spec: the description.
    """

    def __init__(self, spec: SpelledWords) -> None:
        super().__init__()
        self.words = torch.nn.Embedding(spec.words, spec.word_size)
        if spec.pairs:
            self.pairs = torch.nn.Embedding(spec.pairs, spec.pair_size)
        if spec.characters:
            self.characters = torch.nn.Embedding(spec.characters, spec.character_size)
            self.speller = recurrent_layers(spec.speller)
        self.neighbours, self.spelled = spec.neighbours, bool(spec.characters)

    def forward(self, ids: Tensor) -> Tensor:
        """ids (..., 1 + pairs + characters) -> vectors (..., size); each distinct spelling is read once."""
        words, first = self.words(ids[..., 0]), 1 + self.neighbours
        if self.neighbours:
            words = torch.cat([words, self.pairs(ids[..., 1:first]).flatten(-2)], -1)
        if not self.spelled:
            return words
        rows = ids[..., first:].reshape(ids[..., 0].numel(), ids.shape[-1] - first).numpy().astype(np.int32)
        spellings, lengths, which = distinct(rows)
        longest = int(lengths.max(initial=0))
        if not longest:
            return torch.cat([words, words.new_zeros(*words.shape[:-1], self.speller.hidden_size * 2)], -1)
        x = self.characters(torch.from_numpy(spellings[:, :longest].astype(np.int64)))
        _, (h, _) = self.speller(x, lengths=torch.from_numpy(lengths))
        read = torch.cat([h[0], h[1]], 1).index_select(0, torch.from_numpy(which))
        return torch.cat([words, read.reshape(*words.shape[:-1], read.shape[1])], -1)


class TagHeadModule(torch.nn.Module):
    """Scores of the tags for each step, and the likelihood of a sentence's tags.

    Args:
        spec: the description.
        features: the encoder's output size.
        bidirectional: ignored; accepted because all heads take it.
    """

    def __init__(self, spec: TagHead, *, features: int, bidirectional: bool = False) -> None:
        super().__init__()
        self.weight, self.bias = linear_parameters((spec.classes, features))
        self.crf = spec.crf
        if spec.crf:
            self.transitions = Parameter(torch.zeros(spec.classes, spec.classes))
            self.start, self.end = (Parameter(torch.zeros(spec.classes)) for _ in range(2))

    def forward(self, y: Tensor, lengths: Any = None) -> Tensor:
        """y (batch, time, features) -> scores (batch, time, tags); ignore those past a sequence's length."""
        return functional.linear(y, self.weight, self.bias)

    def errors(self, scores: Tensor, tags: Tensor, lengths: Tensor, smoothing: float = 0.0) -> Tensor:
        """Return the negative log-likelihood of each sentence's tags, (batch,), from scores (batch, time, tags).

        Args:
            scores: the result of `forward`.
            tags: (batch, time) int64; those past a sentence's end mean nothing.
            lengths: (batch,) int64.
            smoothing: without a CRF, share of the target that is spread evenly over all tags.
        """
        inside = torch.arange(scores.shape[1]) < lengths[:, None]
        tags = torch.where(inside, tags, 0)
        if not self.crf:
            flat = scores.flatten(0, 1), tags.flatten()
            each = functional.cross_entropy(*flat, reduction="none", label_smoothing=smoothing)
            return torch.where(inside, each.view_as(tags), 0).sum(1)
        chain = self.transitions, self.start, self.end
        return log_partition(scores, lengths, *chain) - path_scores(scores, tags, lengths, *chain)

    @torch.no_grad()
    def forbid(self, allowed: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> None:
        """Forbid transitions (tags, tags), first tags and last tags that are False in these arrays, for good."""
        for parameter, each in ((self.transitions, allowed), (self.start, starts), (self.end, ends)):
            parameter.masked_fill_(~torch.from_numpy(each), FORBIDDEN)
