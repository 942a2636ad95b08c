"""A trained language model as the first layers of another network (ULMFiT, Howard and Ruder 2018)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from penstock import bundle
from penstock.errors import ConfigError
from penstock.network import Network, Recurrent
from penstock.tokens import Tokens, read_tokens

if TYPE_CHECKING:
    import torch

    from penstock.training import Recipe

__all__ = ["EncoderOptions", "Pretrained"]

_TASK, _FEATURES = "language-model", "language"
# What is decided by a file that an option names.
_VECTORS = ("embedding_size", "word_size")
_BROUGHT = {"vectors": _VECTORS, "encoder": ("cell", "hidden_size", "num_layers", *_VECTORS)}


@dataclass(frozen=True, eq=False)
class Pretrained:
    """What another network takes over of a saved language model.

    Attributes:
        path: the model's folder.
        tokens: its tokens; the embedding has a row for each.
        embedding: (tokens, size) float32.
        encoder: the description of its layers.
        tensors: the layers' weights by name.
    """

    path: str
    tokens: Tokens
    embedding: np.ndarray
    encoder: Recurrent
    tensors: Mapping[str, np.ndarray]

    @classmethod
    def read(cls, path: str) -> "Pretrained":
        """Read a language model of texts.

        Raises:
            BundleError: it is not a model folder, or is damaged.
            ConfigError: it is another model.
        """
        saved = bundle.load(path)
        if saved.task != _TASK or saved.features.get("kind") != _FEATURES:
            what = f"a model for {saved.task}" if saved.task != _TASK else "a model of music"
            raise ConfigError(f"{path}: is {what}; encoder takes a language model of texts: penstock train language")
        tensors = {name: each for name, each in saved.tensors.items() if name.startswith("encoder.")}
        tokens, network = read_tokens(saved.features["tokens"]), saved.network
        return cls(str(path), tokens, saved.tensors["inputs.weight"], network.encoder, tensors)

    def check(self, *, cell: str, bidirectional: bool) -> None:
        """Check that the layers are those of the options.

        Raises:
            ConfigError: they have another cell, or read in one direction alone.
        """
        if self.encoder.cell != cell:
            raise ConfigError(
                f"{self.path}: its layers are of the cell {self.encoder.cell!r}, but cell is {cell!r}. "
                f"Set cell={self.encoder.cell!r}."
            )
        if bidirectional:
            raise ConfigError(
                f"{self.path}: a language model reads forward, so it has no layers for the other direction. "
                "Set bidirectional=False."
            )

    def put(self, module: "torch.nn.Module", rows: np.ndarray, table: str = "inputs.weight") -> None:
        """Overwrite the embedding and the layers of a module.

        Layers that also read what the language model does not have, beside and after the same inputs, keep their
        weights for it, and so do layers of the other direction.

        Args:
            module: of a network whose layers have the sizes of `encoder`.
            rows: (ids,), the row of `embedding` from which each id of the module starts.
            table: name of the module's embedding.
        """
        import torch

        state = module.state_dict()
        with torch.no_grad():
            for name, array in {**self.tensors, table: self.embedding[rows]}.items():
                state[name][..., : array.shape[-1]].copy_(torch.from_numpy(np.ascontiguousarray(array)))


@dataclass(kw_only=True, eq=False, repr=False)
class EncoderOptions:
    """Options of an estimator that can start from a language model.

    Args:
        encoder: folder of a language model (`penstock train language`), whose tokens, embedding and layers the network
            starts from, with their sizes.
        layer_decay: with `encoder`, factor of the learning rate from each layer to the one below it (Howard and Ruder
            2018, who take 1/2.6); 1 for the same rate everywhere.
        unfreeze: with `encoder`, number of epochs after which the next layer starts to train, from the output down; 0
            for all layers from the start.
    """

    paths: ClassVar[tuple[str, ...]] = ("encoder",)
    panels: ClassVar[dict[str, tuple[str, ...]]] = {"training": ("layer_decay", "unfreeze")}
    everyday: ClassVar[tuple[str, ...]] = ("encoder",)

    encoder: str | None = None
    layer_decay: float = 0.4
    unfreeze: int = 1

    def _idle(self, fixed: Collection[str]) -> set[str]:
        """Return options without effect, among them the sizes that a file brings."""
        brought = {size for name, sizes in _BROUGHT.items() if getattr(self, name) is not None for size in sizes}
        idle: set[str] = super()._idle(fixed)  # type: ignore[misc]
        return idle | brought

    def _pretrained(self) -> Pretrained | None:
        """Return what `encoder` names, checked; None if it names nothing."""
        if self.encoder is None:
            return None
        found = Pretrained.read(self.encoder)
        options: Any = self
        found.check(cell=options.cell, bidirectional=options.bidirectional)
        return found

    def _recipe(self, rows: int) -> "Recipe":
        recipe: Recipe = super()._recipe(rows)  # type: ignore[misc]  # which checks the rates in any case
        return recipe if self.encoder is not None else replace(recipe, layer_decay=1.0, unfreeze=0)

    def _resolved(self, features: Any, network: Network) -> dict[str, Any]:
        found: dict[str, Any] = super()._resolved(features, network)  # type: ignore[misc]
        if self.encoder is None:
            return found
        return found | {"hidden_size": network.encoder.hidden_size, "num_layers": network.encoder.num_layers}
