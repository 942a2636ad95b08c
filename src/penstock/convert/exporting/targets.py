"""The table of what `penstock export --to` can write."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from penstock.registry import resolve

__all__ = ["TARGETS", "Target"]


@dataclass(frozen=True)
class Target:
    """A row of the table.

    Attributes:
        write: (model, path, **options) -> `Written`; "module:function", imported on first use.
        suffix: the ending of its file.
        options: the options of the command that it takes, besides `overwrite`.
        summary: a few words for the help.
    """

    write: str
    suffix: str
    options: tuple[str, ...]
    summary: str

    def writer(self) -> Callable[..., Any]:
        """Return the function that writes."""
        return resolve(self.write)


TARGETS = {
    "c": Target(
        "penstock.convert.exporting.c:to_c", "", ("int8", "data", "compiler"), "C99: a header, a source and an example"
    ),
    "onnx": Target(
        "penstock.convert.exporting.onnx_file:to_onnx", ".onnx", ("streaming", "int8", "data", "opset"), "an ONNX file"
    ),
    "openvino": Target(
        "penstock.convert.exporting.openvino_file:to_openvino",
        ".xml",
        ("streaming",),
        "OpenVINO's NAME.xml and NAME.bin",
    ),
    "torch": Target(
        "penstock.convert.exporting.torch_file:to_torch", ".py", (), "a PyTorch module NAME.py and its weights"
    ),
}
"""What a network can be written for, by the name that `--to` takes."""
