"""All exceptions that Penstock raises.

PenstockError
├── InputError (also ValueError)       invalid argument or input; the message says expected, got, what to do
│   ├── ShapeError                     an array's axes
│   ├── DtypeError                     an array's element type
│   ├── LengthsError                   sequence lengths
│   ├── ConfigError                    an option or a network description
│   ├── DataError                      a file or a table of data
│   ├── BundleError                    a saved model
│   ├── StateError                     a saved state of a stream or a training
│   └── MissingExtraError (also ImportError)   an optional dependency is not installed
├── DivergedError                      a training lost its way: its loss or gradient is not finite, or exploded
├── WorkerError                        a worker or replica was lost too often, or did not begin
├── NotFittedError                     an estimator must predict before `fit`
└── ServerError                        a server is unreachable, refuses or fails

DataWarning (a UserWarning)            data is usable, but probably not as intended
"""

__all__ = [
    "BundleError",
    "ConfigError",
    "DataError",
    "DataWarning",
    "DivergedError",
    "DtypeError",
    "InputError",
    "LengthsError",
    "MissingExtraError",
    "NotFittedError",
    "PenstockError",
    "ServerError",
    "ShapeError",
    "StateError",
    "WorkerError",
]


class PenstockError(Exception):
    """Base class of all exceptions that Penstock raises."""


class InputError(PenstockError, ValueError):
    """An argument or input is invalid."""


class ShapeError(InputError):
    """An array has the wrong axes."""


class DtypeError(InputError):
    """An array has the wrong element type."""


class LengthsError(InputError):
    """Sequence lengths do not match the data."""


class ConfigError(InputError):
    """An option or a network description is invalid."""


class DataError(InputError):
    """A file or a table of data cannot be read as sequences."""


class BundleError(InputError):
    """A saved model is missing, damaged, or in another format."""


class StateError(InputError):
    """A saved state, of a stream or of training, is damaged or belongs to another model or other data."""


class MissingExtraError(InputError, ImportError):
    """An optional dependency is not installed; the message contains the command that installs it."""


class DivergedError(PenstockError):
    """The loss or the gradient of a training is not finite, or the loss exploded."""


class WorkerError(PenstockError):
    """A process of work that several share was lost too often, or did not begin."""


class NotFittedError(PenstockError):
    """An estimator was asked for a prediction before `fit`."""


class DataWarning(UserWarning):
    """Data is usable, but probably not as intended."""


class ServerError(PenstockError):
    """A server is unreachable, refuses or fails.

    Attributes:
        code: the HTTP status or WebSocket close code; 1006 if there was no response.
    """

    def __init__(self, message: str, code: int = 1006) -> None:
        super().__init__(message)
        self.code = code
