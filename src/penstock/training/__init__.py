"""Training with PyTorch: one small loop for all tasks, and what each task asks of it."""

from penstock.training.checkpoint import Checkpoint
from penstock.training.classify import ClassObjective, Regularization
from penstock.training.forecasts import CarriedObjective, Examples, WindowObjective
from penstock.training.history import Epoch, History
from penstock.training.loop import Objective, train
from penstock.training.progress import Bar, Callback, terminal_bar
from penstock.training.random_state import random_scope
from penstock.training.recipe import Recipe
from penstock.training.regress import RegressionObjective
from penstock.training.sequence_objective import Mixture, SequenceObjective
from penstock.training.signals import SignalClassObjective, SignalRegressionObjective, SignalRegularization
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
    "Mixture",
    "Objective",
    "Recipe",
    "RegressionObjective",
    "Regularization",
    "SequenceObjective",
    "SignalClassObjective",
    "SignalRegressionObjective",
    "SignalRegularization",
    "TokenObjective",
    "TokenRegularization",
    "WindowObjective",
    "random_scope",
    "terminal_bar",
    "train",
]
