"""Options that estimators share, each written down and described once; a task may choose other defaults.

An estimator inherits them: it is a dataclass too, so that scikit-learn finds them all in its constructor.
"""

import inspect
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from penstock.cells import CELLS, all_options
from penstock.network import Recurrent

__all__ = ["CellName", "CellOptions", "TrainingOptions"]

CellName = Annotated[str, CELLS]
"""The name of a cell: one of Penstock's own, or one that was registered."""


def _with_options_of_cells(options: type["CellOptions"]) -> type["CellOptions"]:
    """The class with a field for each option of each cell, as the cells declare and describe it."""
    names = [f'"{cell.name}" ({cell.source})' if cell.source else f'"{cell.name}"' for cell in CELLS.values()]
    described = {"cell": f"the recurrent cell: {', '.join(names[:-1])} or {names[-1]}."}
    for name, option in all_options().items():
        options.__annotations__[name] = Literal[option.choices] if option.choices else type(option.default)
        setattr(options, name, option.default)
        described[name] = option.text
    lines = [inspect.cleandoc(options.__doc__ or ""), *(f"    {name}: {text}" for name, text in described.items())]
    options.__doc__ = "\n".join(lines)
    return dataclass(kw_only=True, eq=False, repr=False)(options)


@_with_options_of_cells
class CellOptions:
    """The recurrent layers; the options of each cell follow, as `penstock.cells` declares them.

    Args:
        hidden_size: units of a recurrent layer.
        num_layers: recurrent layers on top of each other.
        bidirectional: read backward too; gives up `stream`.
    """

    cell: CellName = "lstm"
    hidden_size: int = 128
    num_layers: int = 1
    bidirectional: bool = False

    def recurrent(self, input_size: int) -> Recurrent:
        """The layers that the options describe.

        Raises:
            ConfigError: an unknown cell, or an option of another one.
        """
        names = ("cell", "hidden_size", "num_layers", "bidirectional", *all_options())
        return Recurrent(input_size=input_size, **{name: getattr(self, name) for name in names if hasattr(self, name)})


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
        verbose: what `fit` shows on standard error of its work: 0 nothing, 1 a line for each stage and epoch, 2 also
            how far it is and how long the rest takes, on a terminal as a bar. `logging` gets the same in any case.
        examples: inputs of the test data, or of the validation data where there is no test data, that are stored in the
            saved model, so that the page of `penstock serve` can offer them; 0 stores none.
        random_state: seed of everything random; None for another one each time.
    """

    panels: ClassVar[dict[str, tuple[str, ...]]] = {
        "training": (
            "epochs", "learning_rate", "batch_size", "patience", "keep", "random_state", "weight_decay", "warmup",
            "clip", "average", "validation_share", "baseline", "warm_start",
        ),
        "output": ("examples", "checkpoint", "verbose"),
    }  # fmt: skip
    """Where `penstock train --help` lists the options that a class adds, and in which order; the rest is "network"."""

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
    verbose: int = 0
    examples: int = 0
    random_state: int | None = 0
