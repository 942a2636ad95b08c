"""Description of the head that writes a target sequence while it attends to a source."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self, get_args

from penstock.errors import ConfigError
from penstock.network.checks import check_choice, check_flag, check_integer
from penstock.network.encoder import Recurrent
from penstock.network.spelling import Spelled, check_names

__all__ = ["Attention", "AttentionDecoder"]

Attention = Literal["bahdanau", "luong"]
Shapes = dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class AttentionDecoder(Spelled):
    """A recurrent decoder with attention to the encoder's outputs, token by token.

    For each target token with vector e, decoder output s and encoder outputs y_1, ..., y_n:

        s     = decoder(e), or decoder([e, r of the token before]) with input feeding (Luong et al. 2015)
        a     = softmax over j of s . (K y_j)                      "luong": general
                softmax over j of v . tanh(Q s + K y_j + b)        "bahdanau": additive (Bahdanau et al. 2015)
        r     = tanh(W [sum_j a_j y_j, s] + b)
        score = V r + c, one for each token that may come next

    The decoder's initial states are tanh(I h + b), where h is the encoder's last output of each direction.

    Attributes:
        vocabulary_size: number of target tokens.
        embedding_size: size of e and of r.
        decoder: the decoder's layers.
        attention: how a is computed.
        attention_size: for "bahdanau", the size of v; otherwise without effect.
        input_feeding: whether the decoder reads r, which makes training a loop over the tokens.
        tied: whether V is the table of target vectors (Press and Wolf 2017).
    """

    kind: ClassVar[str] = "attention_decoder"
    vocabulary_size: int
    embedding_size: int
    decoder: Recurrent
    attention: Attention = "luong"
    attention_size: int = 128
    input_feeding: bool = False
    tied: bool = True

    def __post_init__(self) -> None:
        for name in ("vocabulary_size", "embedding_size", "attention_size"):
            check_integer(self, name, at_least=1)
        check_choice(self, "attention", get_args(Attention))
        for name in ("input_feeding", "tied"):
            check_flag(self, name)
        read = self.embedding_size * (2 if self.input_feeding else 1)
        if not isinstance(self.decoder, Recurrent) or self.decoder.bidirectional or self.decoder.input_size != read:
            raise ConfigError(
                f"AttentionDecoder: decoder must be recurrent layers that read forward, with input_size={read}; "
                f"got {self.decoder!r:.200}"
            )

    @property
    def state_sizes(self) -> tuple[int, ...]:
        """The size of each state of a decoder layer."""
        sizes: tuple[int, ...] = self.decoder.declaration.state_sizes(self.decoder.hidden_size, **self.decoder.options)
        return sizes

    def parameter_shapes(self, output_size: int) -> Shapes:
        """Shapes of the trained tensors by name, for an encoder with `output_size` features."""
        size, queries, vocabulary = self.embedding_size, self.decoder.output_size, self.vocabulary_size
        initial = self.decoder.num_layers * sum(self.state_sizes)
        shapes: Shapes = {"embedding": (vocabulary, size)}
        shapes |= {f"decoder.{name}": shape for name, shape in self.decoder.parameter_shapes().items()}
        shapes |= {"initial_weight": (initial, output_size), "initial_bias": (initial,)}
        if self.attention == "luong":
            shapes["key_weight"] = (queries, output_size)
        else:
            shapes |= {
                "key_weight": (self.attention_size, output_size),
                "key_bias": (self.attention_size,),
                "query_weight": (self.attention_size, queries),
                "score_weight": (1, self.attention_size),
            }
        shapes |= {"readout_weight": (size, output_size + queries), "readout_bias": (size,)}
        return shapes | ({} if self.tied else {"output_weight": (vocabulary, size)}) | {"output_bias": (vocabulary,)}

    def arguments(self) -> dict[str, Any]:
        """Constructor arguments as plain values."""
        return self._own() | {"decoder": self.decoder.arguments()}

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Any]) -> Self:
        """Make a description from arguments that were read from a file; ConfigError if one is invalid."""
        required = {"vocabulary_size", "embedding_size", "decoder"}
        known = required | {"attention", "attention_size", "input_feeding", "tied"}
        check_names(f"head of kind {cls.kind!r}", arguments, required=required, known=known)
        if not isinstance(arguments["decoder"], Mapping):
            raise ConfigError(f"head of kind {cls.kind!r}: decoder must be a JSON object")
        return cls(**{**arguments, "decoder": Recurrent.from_arguments(arguments["decoder"])})

    def identity(self) -> dict[str, Any]:
        """Values that identify this head in fingerprints."""
        return self._own() | {"decoder": self.decoder.identity()}

    def _own(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "decoder"}
