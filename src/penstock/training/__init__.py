"""Training with PyTorch: one small loop for all tasks, and what each task asks of it."""

from penstock.training.checkpoint import Checkpoint
from penstock.training.classify import ClassObjective, Regularization
from penstock.training.forecasts import CarriedObjective, Examples, WindowObjective
from penstock.training.history import Epoch, History
from penstock.training.isolation import isolated
from penstock.training.loop import Objective, train
from penstock.training.progress import Bar, Callback, terminal_bar
from penstock.training.recipe import Recipe
from penstock.training.tokens import TokenObjective, TokenRegularization

__all__ = [
    "Bar",
    "Callback",
    "CarriedObjective",
    "Checkpoint",
    "ClassObjective",
    "Epoch",
    "Examples",
    "History",
    "Objective",
    "Recipe",
    "Regularization",
    "TokenObjective",
    "TokenRegularization",
    "WindowObjective",
    "isolated",
    "terminal_bar",
    "train",
]
