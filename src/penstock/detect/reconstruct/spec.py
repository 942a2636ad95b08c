"""Description of the head that reproduces an example from what the encoder holds of it at its end."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from penstock.errors import ConfigError
from penstock.network.checks import check_integer
from penstock.network.encoder import Recurrent
from penstock.network.spelling import Spelled, check_names

__all__ = ["ReconstructionHead"]


@dataclass(frozen=True)
class ReconstructionHead(Spelled):
    """A recurrent decoder that writes an example backward, from its last step to its first.

    With the encoder's last output h as the input of each of its steps, the decoder's outputs give the location of a
    logistic distribution for each of `targets` values. Its scale is the same for all steps and examples: one that
    followed from h would be large just where an example is odd. Malhotra et al. (2016, arXiv 1607.00148) write backward
    too, but feed back what was written; h at each step, without feedback, is the decoder of Srivastava et al. (2015,
    arXiv 1502.04681) that can't lean on the values before.

    Attributes:
        targets: values of a step.
        decoder: the decoder's layers.
    """

    kind: ClassVar[str] = "reconstruction"
    targets: int
    decoder: Recurrent

    def __post_init__(self) -> None:
        check_integer(self, "targets", at_least=1)
        if not isinstance(self.decoder, Recurrent) or self.decoder.bidirectional:
            raise ConfigError(
                f"ReconstructionHead: decoder must be recurrent layers in one direction; got {self.decoder!r:.200}"
            )

    def parameter_shapes(self, output_size: int) -> dict[str, tuple[int, ...]]:
        """Shapes of the trained tensors by name, for an encoder with `output_size` features."""
        if self.decoder.input_size != output_size:
            raise ConfigError(
                f"ReconstructionHead: the decoder must read the {output_size} features of the encoder; got "
                f"input_size={self.decoder.input_size}"
            )
        shapes = {f"decoder.{name}": shape for name, shape in self.decoder.parameter_shapes().items()}
        of_each = dict.fromkeys(("bias", "log_scale"), (self.targets,))
        return shapes | {"weight": (self.targets, self.decoder.output_size), **of_each}

    def arguments(self) -> dict[str, Any]:
        """Constructor arguments as plain values."""
        return {"targets": self.targets, "decoder": self.decoder.arguments()}

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Any]) -> Self:
        """Make a description from arguments that were read from a file; ConfigError if one is invalid."""
        names = {"targets", "decoder"}
        check_names(f"head of kind {cls.kind!r}", arguments, required=names, known=names)
        if not isinstance(arguments["decoder"], Mapping):
            raise ConfigError(f"head of kind {cls.kind!r}: decoder must be a JSON object")
        return cls(arguments["targets"], Recurrent.from_arguments(arguments["decoder"]))

    def identity(self) -> dict[str, Any]:
        """Values that identify this head in fingerprints."""
        return {"targets": self.targets, "decoder": self.decoder.identity()}
