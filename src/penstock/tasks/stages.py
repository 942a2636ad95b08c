"""The trainings that a `fit` consists of: usually one; where a network learns from teachers, theirs come first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from penstock.training import History, Objective

__all__ = ["Stage", "stage_figures"]


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One training of a `fit`; the model is what the last one trains.

    seed: of everything random in it
    objective: what it minimises, given the modules that the stages before it trained
    name: what its checkpoint's name ends in; none for the last stage
    title: what the user is told of it, where there are several
    """

    seed: int
    objective: "Callable[[Sequence[torch.nn.Module]], Objective]"
    name: str = ""
    title: str = ""


def stage_figures(stages: Sequence[Stage], histories: "Sequence[History]") -> dict[str, Any]:
    """What metrics.json says of the time of all stages, and of each one where there are several."""
    figures: dict[str, Any] = {"training_seconds": sum(history.seconds for history in histories)}
    if len(stages) > 1:
        figures["stages"] = [
            {"title": stage.title, "epochs": len(history.epochs), "seconds": history.seconds}
            for stage, history in zip(stages, histories, strict=True)
        ]
    return figures
