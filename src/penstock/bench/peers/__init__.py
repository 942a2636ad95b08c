"""The libraries that are compared: one module each, which turns a workload into a call to be timed.

A module has `about() -> str`, a name with version; `set_threads(n)`; and `prepare(workload)`, which returns the call
and its outputs (time, batch, hidden), or None if the module has checked its gradients itself. `prepare` raises
NotImplementedError for work that the library cannot do. A module may have `around(point)`, a context in which all
calls are made, entered once.
"""

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from penstock.checks import check_one_of

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
"""Each peer, and the package that it needs. "nn" is Penstock's layers inside PyTorch, "frozen" the same after
`freeze()`."""


def installed() -> list[str]:
    """Return the peers that can be compared here, besides Penstock itself."""
    return [name for name, package in PEERS.items() if name not in ("penstock", "nn", "frozen") and find_spec(package)]


def load(name: str) -> ModuleType:
    """Import a peer's module.

    Raises:
        ConfigError: there is no such peer.
    """
    check_one_of("a peer", name, PEERS)
    return import_module(f"penstock.bench.peers.{name}")
