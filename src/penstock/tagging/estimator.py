"""Tagging of sentences: a tag for each token, such as its part of speech, or the name that it belongs to."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, cast

import numpy as np

from penstock.bundle import Bundle
from penstock.datasets import Rows
from penstock.errors import ConfigError, DataError
from penstock.labels import label_texts
from penstock.network import Network, Recurrent
from penstock.network.checks import check_flag, check_integer
from penstock.tagging.baseline_training import fit_baselines
from penstock.tagging.data import inner_classes, inner_tags, places_with_unseen, scheme_of, sentence_rows
from penstock.tagging.features import TokenFeatures
from penstock.tagging.fitting import fitted_features, inputs_for
from penstock.tagging.measures import tag_figures
from penstock.tagging.model import TaggerModel, sentence_list
from penstock.tagging.schemes import Scheme, transitions
from penstock.tagging.spec import SpelledWords, TagHead
from penstock.tasks.continuing import with_new_classes
from penstock.tasks.labelled import TRAINING, Labelled, Part
from penstock.tasks.pretrained import EncoderOptions, Pretrained
from penstock.tasks.space import Around, Between, Searched
from penstock.tasks.step_classifier import StepClassifier
from penstock.tasks.supervised import Given
from penstock.tokens import SPECIAL, UNKNOWN

if TYPE_CHECKING:
    from penstock.nn import NetworkModule
    from penstock.tagging.objective import TagObjective
    from penstock.training import Callback

__all__ = ["Tagger"]

_FEATURES = ("min_count", "max_vocabulary", "normalize", "spelling", "max_word_length", "min_pair_count")


@dataclass(kw_only=True, eq=False, repr=False)
class Tagger(EncoderOptions, StepClassifier):
    """Tags the tokens of sentences with a BiLSTM-CRF that reads words and their spelling; scikit-learn style.

    The network is that of Lample et al. (2016): vectors of words beside a BiLSTM over the characters of each word, a
    BiLSTM over the sentence, and a linear-chain conditional random field over its tags. A sentence is a list of tokens;
    a str is one whose tokens are its characters. If tags mark chunks, such as names, their scheme is detected: training
    is in BIOES, and predictions are in the scheme of the training data.

    Args:
        word_size: size of a word's vector.
        spelling: also read the characters of words; there is nothing to read where every token is one character.
        character_size: size of a character's vector.
        character_hidden_size: hidden units of each direction over the characters of a word.
        crf: score the tags of a sentence together; False for a softmax over the tags of each token.
        lookahead: for a network that is not bidirectional, how many further tokens are read before a tag is final.
        scheme: how tags mark chunks: IOB1, BIO, BIOES, BMES, BILOU, or none; None for the detected one.
        pairs: where tokens are characters, also read each as a pair with the one before it and, in a bidirectional
            network, with the one after it.
        pair_size: size of a pair's vector.
        min_pair_count: minimum number of occurrences in the training sentences for a pair to be known.
        min_count: minimum number of occurrences in the training sentences for a word to be known.
        max_vocabulary: maximum number of known words.
        normalize: look words up in lower case, with all digits made 0; characters keep their case.
        max_word_length: number of characters of a token that are read.
        vectors: a file of pretrained word vectors in the text format of word2vec or GloVe, plain or .gz, from which
            known words start; `word_size` must match.
        vector_words: maximum number of words of `vectors`, the first ones of the file, that are known although they do
            not occur in the training sentences.
        word_dropout: share of words that occur once which training replaces by unknown ones (Lample et al. 2016).
        input_dropout: dropout probability of the vectors of words (Srivastava et al. 2014).
        output_dropout: dropout probability of the layers' outputs.
        label_smoothing: with crf=False, share of the target that is spread evenly over all tags (Szegedy et al. 2016).

    Examples:
        >>> from penstock import Tagger
        >>> sentences, tags = [["Ada", "sails"], ["they", "sail"]] * 8, [["NAME", "VERB"], ["PRONOUN", "VERB"]] * 8
        >>> tagger = Tagger(hidden_size=8, word_size=8, epochs=1).fit(sentences, tags)
        >>> [len(each) for each in tagger.predict([["Ada", "sails"]])]
        [2]
    """

    task: ClassVar[str] = "tagging"
    paths: ClassVar[tuple[str, ...]] = ("vectors", "encoder")
    usual_epochs: ClassVar[int] = 12
    fewest_steps: ClassVar[int] = 3000

    panels: ClassVar[dict[str, tuple[str, ...]]] = {
        "data": (
            "scheme", "pairs", "min_pair_count", "min_count", "max_vocabulary", "normalize", "max_word_length",
            "vectors", "vector_words",
        ),
        "training": ("word_dropout", "input_dropout"),
    }  # fmt: skip
    everyday: ClassVar[tuple[str, ...]] = ("crf", "lookahead", "scheme", "spelling", "vectors")
    searched: ClassVar[Searched] = {
        "word_size": Around(2),
        "word_dropout": Between(0.0, 0.7),
        "input_dropout": Between(0.0, 0.7),
    }

    hidden_size: int = 100
    bidirectional: bool = True
    word_size: int = 100
    spelling: bool = True
    character_size: int = 25
    character_hidden_size: int = 25
    pairs: bool = True
    pair_size: int = 50
    min_pair_count: int = 2
    crf: bool = True
    lookahead: int = 2
    scheme: str | None = None
    min_count: int = 1
    max_vocabulary: int = 100_000
    normalize: bool = True
    max_word_length: int = 40
    vectors: str | None = None
    vector_words: int = 20_000
    word_dropout: float = 0.5
    input_dropout: float = 0.5
    output_dropout: float = 0.5
    learning_rate: float = 0.004
    keep: Literal["best", "last"] = "last"

    def __sklearn_tags__(self) -> Any:
        """Sentences, one each."""
        tags = super().__sklearn_tags__()
        tags.input_tags.one_d_array = tags.input_tags.string = True
        return tags

    @staticmethod
    def split(rows: Any, proportions: Sequence[float], random_state: int) -> list[Any]:
        """Split the sentences of a file; a file of one sentence often lacks the empty lines between several."""
        if len(rows) == 1:
            raise DataError(
                f"one sentence, of {len(rows.inputs[0]):,} tokens, can't be divided: tagged sentences in columns must "
                "have an empty line after each"
            )
        return StepClassifier.split(rows, proportions, random_state)

    def fit(
        self,
        X: Iterable[Any],
        y: Iterable[Any],
        validation_data: Given | None = None,
        test_data: Given | None = None,
        *,
        sample_weight: Any = None,
        callbacks: Sequence["Callback"] = (),
        dropped: Mapping[str, int] | None = None,
        changed: Mapping[str, int] | None = None,
    ) -> Self:
        """Train on sentences whose tokens have tags.

        Args:
            X: sentences.
            y: for each sentence a list of its tokens' tags.
            validation_data: (X, y) or (X, y, sample_weight) for early stopping; None holds back `validation_share` of
                the sentences.
            test_data: the same, for sentences that are used only in `metrics_`.
            sample_weight: weight of each sentence; see `TextClassifier.fit`.
            callbacks: called during training, see `training.Callback`.
            dropped: counts of rows dropped earlier, by reason, to include.
            changed: counts of changes made earlier, by kind, to include: `Rows.changed`.

        Raises:
            DataError: the numbers of tags and tokens differ, there is only one tag, more than `max_classes`, or an
                unknown tag in other data.
            ConfigError: an option is invalid.
            DivergedError: the loss or the gradient became infinite or NaN, or the loss exploded.
        """
        X, y = sentence_list(X), list(self._column(y))
        known = self._known()
        self._scheme: Scheme | None = scheme_of(y, self.scheme) if known is None else known.features.scheme
        self._unseen: list[Any] = []  # tags of other data that do not occur in training
        return super().fit(
            X,
            y,
            validation_data,
            test_data,
            sample_weight=sample_weight,
            callbacks=callbacks,
            dropped=dropped,
            changed=changed,
        )

    def _rows(self, inputs: Any, answers: Any) -> Rows:
        return sentence_rows(inputs, answers)

    def _classes(self, answers: Sequence[Any]) -> list[Any]:
        if self._scheme is None:
            return super()._classes(answers)
        found, known = inner_classes(self._scheme, answers, self.max_classes), self._known()
        return found if known is None else with_new_classes(known.labels, found, self.max_classes)

    def _targets(self, answers: Sequence[Any], classes: Sequence[Any], where: str) -> Any:
        tags = list(answers) if self._scheme is None else inner_tags(self._scheme, answers, where)
        if where == TRAINING:
            return super()._targets(tags, classes, where)
        return places_with_unseen(tags, classes, self._unseen, where)

    def _about(self, targets: Any, classes: Sequence[Any]) -> dict[str, Any]:
        known = targets.values[targets.values >= 0]
        counts = np.bincount(known, minlength=len(classes)).tolist()
        return {"classes": dict(zip(label_texts(classes), counts, strict=True))}

    def _fit_baselines(self, data: Labelled, features: TokenFeatures) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        sentences, targets = data.train.inputs, data.train.targets
        return fit_baselines(sentences, targets, len(data.labels), seed=0, crf=self.baseline)

    def _measure(self, model: Any, data: Labelled) -> dict[str, Any]:
        return tag_figures(model, data, self._unseen)

    def score(self, X: Iterable[Any], y: Iterable[Any], sample_weight: Any = None) -> float:
        """Return F1 if tags mark chunks, else the accuracy over all tokens; see `TextClassifier.score`.

        Args:
            X, y: as for `fit`.
            sample_weight: weight of each sentence; None for equal weights.

        Raises:
            NotFittedError: `fit` has not been called.
            DataError: the numbers of tags and tokens differ, or weights are invalid.
        """
        model = self._fitted()
        assert isinstance(model, TaggerModel)
        sentences = model.checked(X)
        weights = self._score_weights(X, sample_weight, len(sentences))
        truth = model.truth(sentences, list(self._column(y)))
        metrics = truth.judged(model.places(model.outputs(sentences)), weights).metrics
        return metrics.get("f1", metrics["accuracy"])

    def _features(self, data: Labelled) -> TokenFeatures:
        check_flag(self, "pairs")
        check_integer(self, "pair_size", at_least=1)  # also where words have no pairs
        check_integer(self, "vector_words", at_least=0)
        return fitted_features(
            data.train.inputs,
            vectors=self.vectors,
            vector_words=self.vector_words,
            pretrained=self._pretrained(),
            neighbours=1 + self.bidirectional if self.pairs else 0,
            scheme=self._scheme,
            **{name: getattr(self, name) for name in _FEATURES},
        )

    def _pretrained(self) -> Pretrained | None:
        if self.encoder is None:
            return None
        if self.vectors is not None:
            raise ConfigError("encoder brings an embedding, and so do vectors: leave one of them out")
        if self.normalize:
            raise ConfigError("a language model tells capitals and digits apart: with encoder, set normalize=False")
        found = Pretrained.read(self.encoder)
        found.check(cell=self.cell, bidirectional=False)  # the layers of the other direction start anew
        return found

    def _network(self, data: Labelled, features: TokenFeatures) -> Network:
        pretrained, inputs = self._pretrained(), self._inputs(features)
        if pretrained is None:
            return Network(inputs, self.recurrent(inputs.size), self._head(data))
        changed = {"input_size": inputs.size, "bidirectional": self.bidirectional}
        return Network(inputs, Recurrent(**pretrained.encoder.arguments() | changed), self._head(data))

    def _resolved(self, features: TokenFeatures, network: Network) -> dict[str, Any]:
        return super()._resolved(features, network) | {"word_size": network.inputs.word_size}

    def _inputs(self, features: TokenFeatures) -> SpelledWords:
        pretrained = self._pretrained()
        word_size = self.word_size if pretrained is None else pretrained.embedding.shape[1]
        sizes = {name: getattr(self, name) for name in ("character_size", "character_hidden_size", "pair_size")}
        return inputs_for(features, word_size, **sizes)

    def _head(self, data: Labelled) -> TagHead:
        lagged = TagHead(len(data.labels), lookahead=self.lookahead)  # made even if not needed, which checks the option
        if self.crf and self.label_smoothing:
            raise ConfigError("label_smoothing needs crf=False: a CRF scores whole sentences, which can't be smoothed")
        return lagged if self.crf and not self.bidirectional else TagHead(len(data.labels), self.crf)

    def _objective(self, data: Labelled, features: TokenFeatures, network: Network, seed: int) -> "TagObjective":
        from penstock.tagging.objective import TagObjective, TagRegularization

        shares = {field.name: getattr(self, field.name) for field in fields(TagRegularization)}
        train = features.apply(data.train.inputs)
        once = np.bincount(train.values[:, 0], minlength=features.vocabulary_size) == 1
        return TagObjective(
            sequences=train,
            singletons=once,
            regularization=TagRegularization(**shares),
            **self._objective_rows(data, features, seed),
        )

    def _module(self, data: Labelled, features: TokenFeatures, network: Network) -> "NetworkModule":
        from penstock.tagging.layers import SpelledWordsModule, TagHeadModule
        from penstock.tasks.initial import init_head, init_table, put_vectors

        module = cast("NetworkModule", super()._module(data, features, network))
        assert isinstance(module.inputs, SpelledWordsModule)
        assert isinstance(module.head, TagHeadModule)
        for table in ("words", "pairs") if features.neighbours else ("words",):
            init_table(getattr(module.inputs, table).weight)
        init_head(module.head)
        if self.vectors is not None and self._known() is None:
            put_vectors(module.inputs.words.weight, self.vectors, features.vocabulary, option="word_size")
        if (pretrained := self._pretrained()) is not None:
            known = len(SPECIAL) + np.arange(len(features.vocabulary))
            pretrained.put(module, np.concatenate([[UNKNOWN], known]), table="inputs.words.weight")
        if network.head.crf:
            allowed = transitions(data.labels, features.scheme)
            module.head.forbid(allowed.after, allowed.first, allowed.last)
        return module

    def _data_figures(self, data: Labelled, features: TokenFeatures) -> dict[str, Any]:
        scheme = None if features.scheme is None else features.scheme.name
        cut = features.cut(data.train.inputs)
        return super()._data_figures(data, features) | {
            "vocabulary": features.vocabulary_size,
            "truncated": cut,
            "scheme": scheme,
        }

    def _shown(self, part: Part, row: int) -> dict[str, Any]:
        return {"tokens": part.inputs[row]}

    def _example(self, part: Part, row: int) -> list[str]:
        return list(part.inputs[row])

    @classmethod
    def _saved_options(cls, saved: Bundle) -> dict[str, Any]:
        features, inputs, head = TokenFeatures.from_json(saved.features), saved.network.inputs, saved.network.head
        options = {name: getattr(features, name) for name in _FEATURES}
        names = ("word_size", "character_size", "character_hidden_size", "pair_size")
        sizes = {name: size for name in names if (size := getattr(inputs, name))}
        return options | sizes | {"crf": head.crf, "pairs": bool(features.neighbours)}
