"""Options that estimators share, each defined and documented once; a task may choose other defaults.

Estimators inherit them: they are dataclasses too, so that scikit-learn finds all options in the constructor.
"""

import inspect
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from penstock.cells import CELLS, all_options
from penstock.errors import ConfigError
from penstock.network import Recurrent
from penstock.tasks.space import Around, Between, Searched

__all__ = ["CellName", "CellOptions", "TrainingOptions", "check_validation_share"]

CellName = Annotated[str, CELLS]
"""The name of a built-in or registered cell."""


def _with_options_of_cells(options: type["CellOptions"]) -> type["CellOptions"]:
    """Add a field for each option of each cell, as the cells declare and document it."""
    names = [f'"{cell.name}" ({cell.source})' if cell.source else f'"{cell.name}"' for cell in CELLS.values()]
    described = {"cell": f"the recurrent cell: {', '.join(names[:-1])} or {names[-1]}."}
    for name, option in all_options().items():
        options.__annotations__[name] = option.hint
        setattr(options, name, option.default)
        described[name] = option.text
    lines = [inspect.cleandoc(options.__doc__ or ""), *(f"    {name}: {text}" for name, text in described.items())]
    options.__doc__ = "\n".join(lines)
    return dataclass(kw_only=True, eq=False, repr=False)(options)


@_with_options_of_cells
class CellOptions:
    """Options of the recurrent layers; the options of each cell follow, as `penstock.cells` declares them.

    Args:
        hidden_size: number of hidden units per layer.
        num_layers: number of stacked recurrent layers.
        bidirectional: also read backward; such a model cannot be streamed.
    """

    everyday: ClassVar[tuple[str, ...]] = ("cell", "hidden_size", "num_layers", "bidirectional")
    searched: ClassVar[Searched] = {
        "cell": ("lstm", "gru"),
        "hidden_size": Around(2),
        "num_layers": Between(1, 3),
    }

    cell: CellName = "lstm"
    hidden_size: int = 128
    num_layers: int = 1
    bidirectional: bool = False

    def recurrent(self, input_size: int) -> Recurrent:
        """Return the description of the layers.

        Raises:
            ConfigError: an unknown cell, or an option of another cell.
        """
        names = ("cell", "hidden_size", "num_layers", "bidirectional", *all_options())
        return Recurrent(input_size=input_size, **{name: getattr(self, name) for name in names if hasattr(self, name)})


@dataclass(kw_only=True, eq=False, repr=False)
class TrainingOptions:
    """Options of the training.

    Args:
        epochs: maximum number of passes over the training data; None for a number that suits the size of the data.
        batch_size: sequences per step.
        learning_rate: peak learning rate of AdamW (Loshchilov and Hutter 2019).
        weight_decay: weight decay of AdamW, for all parameters except biases.
        warmup: share of the steps over which the learning rate rises; then it decays along a half cosine.
        clip: maximum norm of the gradient (Pascanu et al. 2013).
        average: decay per step of a moving average of the weights, which is used instead of the last weights (Polyak
            and Juditsky 1992); 0 for no average.
        patience: number of epochs without a lower validation loss after which training stops.
        max_seconds: time limit in seconds for the epochs, without the preparations before and the measurements after
            them. Training stops after the batch in which it passes and keeps the best weights; None for no limit.
        keep: the weights to keep: "best", from the epoch with the lowest validation loss, or "last", without early
            stopping, which is better with little validation data.
        validation_share: share of the data that is held back if no validation data is given.
        baseline: also fit a baseline for comparison.
        warm_start: continue from the weights, features and classes of the fitted or loaded estimator; new classes, and
            new series with vectors of their own, are added.
        checkpoint: a file for the training's state, from which the same call resumes, with the same result bit for bit.
        checkpoint_seconds: seconds between two writes of that file, beside one after each epoch; more where writes
            would take over 2 % of the time.
        verbose: progress on standard error: 0 for none, 1 for a line per stage and epoch, 2 also for progress and
            remaining time, on a terminal as a bar. `logging` gets the same in any case.
        examples: inputs of the test data, or of the validation data where there is no test data, that are stored in the
            saved model, so that the page of `penstock serve` can offer them; 0 stores none.
        random_state: seed of all random numbers; None for a different one each time.
        workers: number of processes that share the rows of each batch, on this machine or where `on` says. Each has
            random numbers of its own, so that the result depends on their number.
        on: address of a Ray cluster for the workers: "ray://HOST:10001", "HOST:6379", or "auto" on one of its machines;
            None for this machine.
    """

    panels: ClassVar[dict[str, tuple[str, ...]]] = {
        "training": (
            "epochs", "learning_rate", "batch_size", "patience", "max_seconds", "keep", "random_state", "weight_decay",
            "warmup", "clip", "average", "validation_share", "baseline", "warm_start", "workers", "on",
        ),
        "output": ("examples", "checkpoint", "checkpoint_seconds", "verbose"),
    }  # fmt: skip
    """Where `penstock train --help` lists the options that a class adds, and in which order; the rest is "network"."""
    everyday: ClassVar[tuple[str, ...]] = (
        "epochs", "max_seconds", "learning_rate", "batch_size", "patience", "random_state",
    )  # fmt: skip
    """Those of the options that a class adds that `penstock train --help` lists; the rest needs `--help-all`."""
    searched: ClassVar[Searched] = {
        "learning_rate": Around(4),
        "batch_size": Around(2),
        "weight_decay": Around(10),
    }
    """What `penstock tune` searches of the options that a class adds; see `tasks.space`."""

    epochs: int | None = None
    batch_size: int = 32
    learning_rate: float = 0.0015
    weight_decay: float = 0.01
    warmup: float = 0.1
    clip: float = 1.0
    average: float = 0.995
    patience: int = 4
    max_seconds: float | None = None
    keep: Literal["best", "last"] = "best"
    validation_share: float = 0.1
    baseline: bool = True
    warm_start: bool = False
    checkpoint: str | None = None
    checkpoint_seconds: float = 60.0
    verbose: int = 0
    examples: int = 0
    random_state: int | None = 0
    workers: int = 1
    on: str | None = None


def check_validation_share(share: Any) -> None:
    """Check the share of the data to hold back.

    Raises:
        ConfigError: it is not between 0 and 1.
    """
    if not isinstance(share, float) or not 0 < share < 1:
        raise ConfigError(f"validation_share must be a number between 0 and 1; got {share!r}")
