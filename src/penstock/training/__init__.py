"""Training with PyTorch: one trainer for all tasks, and the objective of each kind of task."""

from penstock.training.carried import CarriedState
from penstock.training.checkpoint import Checkpoint
from penstock.training.classify import ClassObjective, Regularization, StepClassObjective
from penstock.training.history import Epoch, History
from penstock.training.job import Job
from penstock.training.memory_need import check_memory
from penstock.training.objective import Objective, Seeded
from penstock.training.progress import Callback, TrainingLog
from penstock.training.random_state import random_scope
from penstock.training.recipe import Recipe
from penstock.training.regress import RegressionObjective
from penstock.training.sequence_objective import Mixture, SequenceObjective
from penstock.training.strategy import OneProcess, Strategy
from penstock.training.tracking import TRACKERS, EpochLines, track
from penstock.training.trainer import Trainer

__all__ = [
    "TRACKERS",
    "Callback",
    "CarriedState",
    "Checkpoint",
    "ClassObjective",
    "Epoch",
    "EpochLines",
    "History",
    "Job",
    "Mixture",
    "Objective",
    "OneProcess",
    "Recipe",
    "RegressionObjective",
    "Regularization",
    "Seeded",
    "SequenceObjective",
    "StepClassObjective",
    "Strategy",
    "Trainer",
    "TrainingLog",
    "check_memory",
    "random_scope",
    "track",
]
