"""Tables of names: what Penstock can do, each row with references to the parts, which are imported when needed."""

from penstock.registry.references import deferred, resolve
from penstock.registry.task import Column, Columns, Task
from penstock.registry.tasks import TASKS, estimators, find, register

__all__ = ["TASKS", "Column", "Columns", "Task", "deferred", "estimators", "find", "register", "resolve"]
