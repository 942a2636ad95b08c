"""What is compared: a file for each, which turns a workload into a call to be timed.

A peer's module has `about() -> str`, its name with its version; `set_threads(n)`; and `prepare(workload)`, which gives
the call and what it computes: outputs (time, batch, hidden), or None where its gradients are checked by itself.
`prepare` raises NotImplementedError for what the peer can't do. It may have `around(point)`, a context in which the
calls are made, entered once for all of them as in a loop of one's own.
"""

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from penstock.errors import ConfigError

__all__ = ["PEERS", "installed", "load"]

PEERS = {
    "penstock": "torch",
    "nn": "torch",
    "frozen": "torch",
    "torch": "torch",
    "onnxruntime": "onnxruntime",
    "openvino": "openvino",
    "jax": "jax",
    "keras": "tensorflow",
}
"""Each peer, and the package that has to be there for it. "nn" is Penstock's layers inside PyTorch,
"frozen" the same after `freeze()`."""


def installed() -> list[str]:
    """The peers that can be compared here, besides Penstock itself."""
    return [name for name, package in PEERS.items() if name not in ("penstock", "nn", "frozen") and find_spec(package)]


def load(name: str) -> ModuleType:
    """A peer's module.

    Raises:
        ConfigError: there is none of this name.
    """
    if name not in PEERS:
        raise ConfigError(f"peers must be among {', '.join(PEERS)}; got {name!r}")
    return import_module(f"penstock.bench.peers.{name}")
