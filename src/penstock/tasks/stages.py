"""The trainings of a `fit`: usually one; if a network learns from teachers, the teachers are trained first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from penstock.training import Callback, History, Objective

    Run = Callable[["Stage", Objective, Sequence[Callback], float | None], tuple[torch.nn.Module, History]]

__all__ = ["Stage", "run_stages", "stage_figures"]

_LEAST_SECONDS = 0.001  # a limit must be above 0; a stage whose time is used up takes one step


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One training of a `fit`; the last one trains the model.

    seed: the seed of all random numbers in it
    objective: returns the objective to minimise, given the modules that earlier stages trained
    name: the suffix of its checkpoint's name; empty for the last stage
    title: its name in messages, if there are several stages
    """

    seed: int
    objective: "Callable[[Sequence[torch.nn.Module]], Objective]"
    name: str = ""
    title: str = ""


def run_stages(
    stages: Sequence[Stage], run: "Run", callbacks: "Sequence[Callback]", max_seconds: float | None = None
) -> "tuple[torch.nn.Module, list[History]]":
    """Run all stages; return the module of the last one and the history of each.

    Args:
        stages: one or more.
        run: trains the module of a stage, within a time limit.
        callbacks: the callbacks of the last stage.
        max_seconds: time limit of all stages. Each gets an equal share of what those before it have left.

    Raises:
        KeyboardInterrupt: training was interrupted before the last stage.
    """
    modules: list[torch.nn.Module] = []
    histories: list[History] = []
    for number, stage in enumerate(stages, start=1):
        last = number == len(stages)
        limit = None
        if max_seconds is not None:
            left = max_seconds - sum(history.seconds for history in histories)
            limit = max(left / (len(stages) - number + 1), _LEAST_SECONDS)
        module, history = run(stage, stage.objective(modules), callbacks if last else (), limit)
        if history.stopped == "interrupted" and not last:
            raise KeyboardInterrupt(f"interrupted during {stage.title}: there is no model yet")
        modules.append(module)
        histories.append(history)
    return modules[-1], histories


def stage_figures(stages: Sequence[Stage], histories: "Sequence[History]") -> dict[str, Any]:
    """Return the entries of metrics.json on the time of all stages, and of each one if there are several."""
    figures: dict[str, Any] = {"training_seconds": sum(history.seconds for history in histories)}
    if len(stages) > 1:
        figures["stages"] = [
            {
                "title": stage.title,
                "epochs": len(history.epochs),
                "seconds": history.seconds,
                "stopped": history.stopped,
            }
            for stage, history in zip(stages, histories, strict=True)
        ]
    return figures
