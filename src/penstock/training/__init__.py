"""Training with PyTorch: one trainer for all tasks, and the objective of each kind of task."""

from penstock.training.carried import CarriedState
from penstock.training.checkpoint import Checkpoint
from penstock.training.classify import ClassObjective, Regularization
from penstock.training.forecast_examples import Examples
from penstock.training.forecasts import CarriedObjective, WindowObjective
from penstock.training.history import Epoch, History
from penstock.training.objective import Objective, Seeded
from penstock.training.progress import Bar, Callback, terminal_bar
from penstock.training.random_state import random_scope
from penstock.training.recipe import Recipe
from penstock.training.regress import RegressionObjective
from penstock.training.sequence_objective import Mixture, SequenceObjective
from penstock.training.signals import SignalClassObjective, SignalRegressionObjective, SignalRegularization
from penstock.training.strategy import OneProcess, Strategy
from penstock.training.tokens import TokenObjective, TokenRegularization
from penstock.training.trainer import Trainer

__all__ = [
    "Bar",
    "Callback",
    "CarriedObjective",
    "CarriedState",
    "Checkpoint",
    "ClassObjective",
    "Epoch",
    "Examples",
    "History",
    "Mixture",
    "Objective",
    "OneProcess",
    "Recipe",
    "RegressionObjective",
    "Regularization",
    "Seeded",
    "SequenceObjective",
    "SignalClassObjective",
    "SignalRegressionObjective",
    "SignalRegularization",
    "Strategy",
    "TokenObjective",
    "TokenRegularization",
    "Trainer",
    "WindowObjective",
    "random_scope",
    "terminal_bar",
]
