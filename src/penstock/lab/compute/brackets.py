"""Three small networks that say, character by character, whether a bracket is open."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from penstock import nn
from penstock.lab.arrays import exact

__all__ = ["CLASSES", "figure", "sentences", "train"]

CLASSES = ("open", "close", "letter", "digit", "space", "mark")
"""What the networks see of a character; one input for each. A letter is also a Chinese character."""
_FILLER = (0.7, 0.1, 0.15, 0.05)  # how often letters, digits, spaces and marks come
_LAYERS = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
_HIDDEN, _STEPS, _BATCH, _UPDATES = 8, 80, 32, 800
# A penalty on the recurrent weights leaves the remembering to the gates, so that each unit's gates can be read alone.
# A plain RNN has nothing but its recurrent weights, so it gets no penalty.
_PENALTY = {"rnn": 0.0, "lstm": 0.01, "gru": 0.01}
_SEED = 1


class Reader(torch.nn.Module):
    """A recurrent layer and, at every step, the log-odds that a bracket is open."""

    def __init__(self, cell: str) -> None:
        super().__init__()
        gates: dict[str, Any] = {} if cell == "rnn" else {"init": "chrono", "max_time": 60}
        self.encoder = _LAYERS[cell](len(CLASSES), _HIDDEN, **gates)
        self.head = torch.nn.Linear(_HIDDEN, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map inputs (time, batch, class) to log-odds (time, batch)."""
        return self.head(self.encoder(x)[0]).squeeze(-1)


def sentences(steps: int, batch: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return one-hot character classes (steps, batch, class), and whether a bracket is open (steps, batch).

    An opening bracket within brackets changes nothing, nor does a closing one outside.
    """
    filler = torch.multinomial(torch.tensor(_FILLER), steps * batch, replacement=True, generator=generator)
    ids = filler.view(steps, batch) + CLASSES.index("letter")
    rate = torch.rand(batch, generator=generator) * 0.2 + 0.02
    turns = torch.rand(steps, batch, generator=generator) < rate
    strays = ~turns & (torch.rand(steps, batch, generator=generator) < 0.03)
    inside = turns.cumsum(0) % 2 == 1
    bracket = torch.where(inside, CLASSES.index("open"), CLASSES.index("close"))
    ids = torch.where(turns | strays, bracket, ids)
    return functional.one_hot(ids, len(CLASSES)).float(), inside.float()


def train(cell: str, updates: int = _UPDATES) -> tuple[Reader, list[float]]:
    """Return the trained network and the loss of each update, without the penalty."""
    torch.manual_seed(_SEED)
    generator = torch.Generator().manual_seed(_SEED)
    model = Reader(cell)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    losses = []
    for _ in range(updates):
        x, inside = sentences(_STEPS, _BATCH, generator)
        loss = functional.binary_cross_entropy_with_logits(model(x), inside)
        optimizer.zero_grad()
        (loss + _PENALTY[cell] * model.encoder.weight_hh_l0.abs().sum()).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    return model, losses


def figure() -> dict[str, Any]:
    """Return the weights of each cell, the unit to look at first, and the accuracy on new sentences of 300 steps."""
    found: dict[str, Any] = {"classes": list(CLASSES), "hidden": _HIDDEN}
    x, inside = sentences(300, 200, torch.Generator().manual_seed(_SEED + 1))
    for cell in _LAYERS:
        model, _ = train(cell)
        with torch.no_grad():
            right = ((model(x) > 0) == (inside > 0)).float().mean().item()
            states = model.encoder(x)[0].flatten(0, 1)
        about = torch.corrcoef(torch.cat([states.T, inside.flatten()[None]]))[-1, :-1]
        found[cell] = {
            "weights": {name.removesuffix("_l0"): exact(w.detach()) for name, w in model.encoder.named_parameters()},
            "head_weight": exact(model.head.weight.detach()),
            "head_bias": exact(model.head.bias.detach()),
            "unit": int(about.abs().argmax()),
            "accuracy": round(right, 4),
        }
    return found
