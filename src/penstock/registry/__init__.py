"""The table of tasks; its rows refer to classes and functions by name, which are imported on first use."""

from penstock.registry.references import deferred, resolve
from penstock.registry.task import Column, Columns, Setting, Task
from penstock.registry.tasks import TASKS, estimators, find, register

__all__ = ["TASKS", "Column", "Columns", "Setting", "Task", "deferred", "estimators", "find", "register", "resolve"]
