"""Options that estimators share, each written down and described once; a task may choose other defaults.

An estimator inherits them: it is a dataclass too, so that scikit-learn finds them all in its constructor.
"""

from dataclasses import dataclass
from typing import Literal

__all__ = ["CellOptions", "TrainingOptions"]


@dataclass(kw_only=True, eq=False, repr=False)
class CellOptions:
    """The recurrent layers.

    Args:
        cell: the recurrent cell: "lstm" (Hochreiter and Schmidhuber 1997), "gru" (Cho et al. 2014) or "rnn" (Elman
            1990).
        hidden_size: units of a recurrent layer.
        num_layers: recurrent layers on top of each other.
        bidirectional: read backward too; gives up `stream`.
        nonlinearity: of the cell "rnn": "tanh" or "relu".
        peephole: LSTM only: the gates see the cell's state (Gers and Schmidhuber 2000).
        proj_size: LSTM only: numbers that the output is projected to (Sak et al. 2014); 0 for no projection.
        reset_after: GRU only: the reset gate acts after the product, as in cuDNN and PyTorch.
    """

    cell: Literal["lstm", "gru", "rnn"] = "lstm"
    hidden_size: int = 128
    num_layers: int = 1
    bidirectional: bool = False
    nonlinearity: Literal["tanh", "relu"] = "tanh"
    peephole: bool = False
    proj_size: int = 0
    reset_after: bool = True


@dataclass(kw_only=True, eq=False, repr=False)
class TrainingOptions:
    """The training.

    Args:
        epochs: most passes over the training data; None for as many as suit its size.
        batch_size: sequences of a step.
        learning_rate: AdamW's, at its highest (Loshchilov and Hutter 2019).
        weight_decay: AdamW's, on all parameters but biases.
        warmup: share of the steps over which the learning rate rises; then it falls as half a cosine.
        clip: largest norm of the gradient (Pascanu et al. 2013).
        average: decay per step of the average of the weights that is used instead of the last ones (Polyak and
            Juditsky 1992); 0 for the last ones.
        patience: epochs without a lower validation loss after which training stops.
        keep: the weights that are kept: "best", of the epoch with the lowest validation loss, or "last", of the last
            one, which does not stop early; better where there is little to validate with.
        validation_share: share of the data that is held back where no validation data is given.
        baseline: fit a baseline beside it, to compare with.
        warm_start: where the estimator is fitted or loaded, train on from its weights, features and classes.
        checkpoint: a file for the training's state after each epoch; an existing file is resumed.
        progress: a bar on standard error while training, where that is a terminal.
        random_state: seed of everything random; None for another one each time.
    """

    epochs: int | None = None
    batch_size: int = 32
    learning_rate: float = 0.0015
    weight_decay: float = 0.01
    warmup: float = 0.1
    clip: float = 1.0
    average: float = 0.995
    patience: int = 4
    keep: Literal["best", "last"] = "best"
    validation_share: float = 0.1
    baseline: bool = True
    warm_start: bool = False
    checkpoint: str | None = None
    progress: bool = True
    random_state: int | None = 0
