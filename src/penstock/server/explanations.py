"""Attribution by occlusion for single inputs, in short pieces of work, so that a long one can't hold up the others."""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any

from penstock.inspection.occlusion import MOST_VARIANTS, occluding
from penstock.pauses import pause
from penstock.runtime import Model
from penstock.server.failures import RequestError
from penstock.server.request_queue import RequestQueue

__all__ = ["MOST_BYTES", "Explanations", "asked_of"]

MOST_BYTES = 2 << 20
"""Of the body of a request."""
_MOST_STEPS = 4096  # of the network
_PIECE_STEPS = 8192  # over all variants of a batch: some tens of milliseconds
_ALL_STEPS = 2**18  # over all variants
_SECONDS = 10.0


class Explanations:
    """Explains one input at a time; in between its pieces, the queue runs predictions.

    Args:
        queue: the queue of predict requests.
    """

    def __init__(self, queue: RequestQueue) -> None:
        self._queue, self._turn = queue, asyncio.Lock()

    async def explain(
        self,
        model: Model,
        inputs: Any,
        target: str | None,
        at: int | None,
    ) -> dict[str, Any]:
        """Return `Attribution.to_json` of the only input.

        Args:
            model: the model.
            inputs: as `predict` takes them; just one.
            target, at: as for `Model.question`.

        Raises:
            InputError: the input, target or step is invalid.
            RequestError: there is not exactly one input, or it took too long.
        """
        if len(inputs) != 1:
            raise RequestError(422, "DataError", f"one input can be explained at a time; got {len(inputs)}")
        one = inputs[0] if hasattr(inputs, "__getitem__") else inputs  # a panel of one series is one input
        try:
            async with asyncio.timeout(_SECONDS), self._turn:
                return await self._queue.run(partial(_explained, model, one, target, at))
        except TimeoutError:
            words = f"the input was not explained within {_SECONDS:g} s. Send a shorter one, or try again later."
            raise RequestError(503, "Deadline", words, {"retry-after": "1"}) from None


def _explained(model: Model, one: Any, target: str | None, at: int | None) -> dict[str, Any]:
    question = model.question(one, target=target, at=at, most_steps=_MOST_STEPS)
    most = min(MOST_VARIANTS, _ALL_STEPS // question.steps)
    for found in occluding(question, most=most, batch_steps=_PIECE_STEPS):
        if found is not None:
            return found.to_json()
        pause()
    raise AssertionError("occlusion ends with its result")


def asked_of(parameters: Mapping[str, str]) -> tuple[str | None, int | None]:
    """Return target and step of a query such as "target=good&at=3".

    Raises:
        RequestError: the step is not a whole number.
    """
    target, at = parameters.get("target"), parameters.get("at")
    if at is None:
        return target, None
    if not at.isascii() or not at.isdigit() or len(at) > 9:
        raise RequestError(422, "ConfigError", f"at must be a step, a whole number from 1; got {at!r:.60}")
    return target, int(at)
