"""What a language model draws for a client, one item at a time, so that other streams have their turn between."""

from collections.abc import Iterator, Mapping
from typing import Any

from penstock.checks import check_whole
from penstock.runtime import Stream
from penstock.server.options import checked_options

__all__ = ["Drawing", "check_upcoming", "upcoming"]

_MOST_UPCOMING = 100


class Drawing:
    """What a stream is asked to go on with; all methods run in the streams' thread.

    Args:
        stream: the stream, which reads what is drawn.
        task: name of the model's task.
        request: the message: {"generate": options, "next": number}.

    Raises:
        ConfigError: an option is invalid, or the model does not predict its own input.
    """

    def __init__(self, stream: Stream, task: str, request: Mapping[str, Any]) -> None:
        options, self._next = checked_options(task, request["generate"]), request.get("next")
        if self._next is not None:
            check_upcoming(stream, self._next)
        self._stream = stream
        self._drawn: Iterator[Any] = stream.generated(**options)

    def next(self) -> dict[str, Any] | None:
        """Draw and read one item; return it as a reply holds it, or None if there is no other."""
        for drawn in self._drawn:
            more = {} if self._next is None else {"next": upcoming(self._stream, self._next)}
            return {"answer": self._stream.as_json(drawn), **more}
        return None


def check_upcoming(stream: Stream, most: Any) -> None:
    """Raise ConfigError unless a message may ask for the `most` likeliest tokens that come next."""
    check_whole("next", most, at_least=0, at_most=_MOST_UPCOMING)
    stream.upcoming(0)


def upcoming(stream: Stream, most: int) -> list[dict[str, Any]]:
    """Return the likeliest next tokens with their probabilities."""
    return [{"token": token, "probability": share} for token, share in stream.upcoming(most)]
