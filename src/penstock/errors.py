"""Every error that Penstock raises on purpose.

PenstockError
├── InputError (also ValueError)       what was given can't be used: expected, got, what to do
│   ├── ShapeError                     an array's axes
│   ├── DtypeError                     an array's element type
│   ├── LengthsError                   sequence lengths
│   ├── ConfigError                    an option or a network description
│   ├── DataError                      a file or a table of data
│   ├── BundleError                    a saved model
│   ├── StateError                     a saved state of a stream or a training
│   └── MissingExtraError (also ImportError)   an optional dependency that isn't installed
├── NotFittedError                     an estimator asked to predict before `fit`
└── ServerError                        a server that can't be reached, refuses or fails

DataWarning (a UserWarning)            data that can be used, and is likely not what was meant
"""

__all__ = [
    "BundleError",
    "ConfigError",
    "DataError",
    "DataWarning",
    "DtypeError",
    "InputError",
    "LengthsError",
    "MissingExtraError",
    "NotFittedError",
    "PenstockError",
    "ServerError",
    "ShapeError",
    "StateError",
]


class PenstockError(Exception):
    """The root of all errors that Penstock raises on purpose."""


class InputError(PenstockError, ValueError):
    """What was given can't be used as it is."""


class ShapeError(InputError):
    """An array's axes are not what they should be."""


class DtypeError(InputError):
    """An array's element type is not what it should be."""


class LengthsError(InputError):
    """Sequence lengths do not fit the data."""


class ConfigError(InputError):
    """An option, or a network's description, makes no sense."""


class DataError(InputError):
    """A file or a table of data can't be read as sequences."""


class BundleError(InputError):
    """A saved model is missing, damaged, or of another format."""


class StateError(InputError):
    """A saved state, of a stream or a training, is damaged or belongs to another model or other data."""


class MissingExtraError(InputError, ImportError):
    """An optional dependency isn't installed; the message holds the command that installs it."""


class NotFittedError(PenstockError):
    """An estimator was asked for an answer before `fit`."""


class DataWarning(UserWarning):
    """Data can be used, and is likely not what was meant."""


class ServerError(PenstockError):
    """A server can't be reached, refuses or fails.

    Attributes:
        code: HTTP's status, or a WebSocket's close code; 1006 where there was no answer at all.
    """

    def __init__(self, message: str, code: int = 1006) -> None:
        super().__init__(message)
        self.code = code
