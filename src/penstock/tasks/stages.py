"""The trainings that a `fit` consists of: usually one; where a network learns from teachers, theirs come first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from penstock.training import Callback, History, Objective

    Run = Callable[["Stage", Objective, Sequence[Callback]], tuple[torch.nn.Module, History]]

__all__ = ["Stage", "run_stages", "stage_figures"]


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


def run_stages(
    stages: Sequence[Stage], run: "Run", callbacks: "Sequence[Callback]"
) -> "tuple[torch.nn.Module, list[History]]":
    """The module of the last stage, and what each stage did.

    Args:
        stages: one or more.
        run: trains a module in a stage.
        callbacks: told of the last stage.

    Raises:
        KeyboardInterrupt: within a stage before the last.
    """
    modules: list[torch.nn.Module] = []
    histories: list[History] = []
    for number, stage in enumerate(stages, start=1):
        last = number == len(stages)
        module, history = run(stage, stage.objective(modules), callbacks if last else ())
        if history.stopped == "interrupted" and not last:
            raise KeyboardInterrupt(f"interrupted during {stage.title}: there is no model yet")
        modules.append(module)
        histories.append(history)
    return modules[-1], histories


def stage_figures(stages: Sequence[Stage], histories: "Sequence[History]") -> dict[str, Any]:
    """What metrics.json says of the time of all stages, and of each one where there are several."""
    figures: dict[str, Any] = {"training_seconds": sum(history.seconds for history in histories)}
    if len(stages) > 1:
        figures["stages"] = [
            {"title": stage.title, "epochs": len(history.epochs), "seconds": history.seconds}
            for stage, history in zip(stages, histories, strict=True)
        ]
    return figures
