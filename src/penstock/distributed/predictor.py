"""What each process of a shared prediction does."""

import pickle
import socket
import traceback
from collections.abc import Mapping
from typing import Any

from penstock import engine
from penstock.distributed.parcels import unpacked
from penstock.errors import PenstockError
from penstock.runtime import Model

__all__ = ["Predictor"]


class Predictor:
    """A copy of a model.

    Args:
        content: the model and the options for its `answers`, as of `parcels.packed`.
        neighbours: processes of this prediction on this machine, which share its cores.
    """

    def __init__(self, content: bytes, neighbours: int) -> None:
        self._content = content
        self._loaded: tuple[Model, Mapping[str, Any]] | None = None
        engine.set_num_threads(max(1, engine.get_num_threads() // neighbours))

    def __call__(self, inputs: bytes) -> bytes:
        """Return the rows of inputs, or the error that they raise; all of it as pickles."""
        try:
            return pickle.dumps(self._rows(pickle.loads(inputs)))  # noqa: S301  (of the process that started this one)
        except Exception as error:
            if not isinstance(error, PenstockError):
                error.add_note(f"In a worker on {socket.gethostname()}:\n{traceback.format_exc()}")
            return pickle.dumps(error)

    def _rows(self, inputs: Any) -> list[dict[str, Any]]:
        if self._loaded is None:
            self._loaded = unpacked(self._content)
        assert self._loaded is not None
        model, settings = self._loaded
        return list(model.answers(inputs, **settings))
