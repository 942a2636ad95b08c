"""Folders of a tagger, of language models and of a translator with random weights, to be served."""

from pathlib import Path
from typing import Any

import numpy as np

from penstock import bundle
from penstock.language.features import FrameFeatures, LanguageFeatures
from penstock.language.spec import BernoulliHead, NextTokenHead
from penstock.network import Embedding, Network, Numbers, Recurrent
from penstock.sounds.features import AudioFeatures
from penstock.speech.features import SpeechFeatures
from penstock.speech.spec import CtcHead
from penstock.tagging.features import TokenFeatures
from penstock.tagging.schemes import SCHEMES
from penstock.tagging.spec import SpelledWords, TagHead
from penstock.tokens import train_tokens
from penstock.translate.features import TranslationFeatures
from penstock.translate.spec import AttentionDecoder

__all__ = ["LABELS", "SENTENCE", "save_all", "save_recogniser"]

SENTENCE = ["Ada", "Lovelace", "wrote", "to", "Charles", "Babbage"]
LABELS = ["B-PER", "E-PER", "I-PER", "O", "S-PER"]


def save_all(folder: Path) -> None:
    """Save each model in a folder of its name."""
    _save_tagger(folder / "tags", lookahead=1)
    _save_tagger(folder / "tags-whole", bidirectional=True)
    _save_language(folder / "letters", "char")
    _save_language(folder / "words", "word", ends=True)
    encoder = Recurrent(cell="gru", input_size=5, hidden_size=6)
    _save(folder / "notes", Network(Numbers(5), encoder, BernoulliHead(5)), FrameFeatures(60, 64), "language-model")
    _save_translator(folder / "backwards")
    _save_translator(folder / "forwards", target="abcd")


def save_recogniser(folder: Path, recordings: Any) -> None:
    """Save a recogniser of speech with random weights, whose features are fitted to recordings."""
    frames = AudioFeatures(mel_bins=6, window_seconds=0.025, hop_seconds=0.01, delta_frames=()).fit(recordings)
    features = SpeechFeatures(frames, train_tokens("char", ["yes no stop"]))
    encoder = Recurrent(input_size=features.size, hidden_size=8)
    _save(folder, Network(Numbers(features.size), encoder, CtcHead(features.outputs)), features, "speech-recognition")


def _save_tagger(folder: Path, *, lookahead: int | None = None, bidirectional: bool = False) -> None:
    features = TokenFeatures(scheme=SCHEMES["BIO"]).fit([SENTENCE])
    inputs = SpelledWords(features.vocabulary_size, 6, features.alphabet_size, 4, 3)
    encoder = Recurrent(input_size=inputs.size, hidden_size=8, bidirectional=bidirectional)
    network = Network(inputs, encoder, TagHead(len(LABELS), crf=True, lookahead=lookahead))
    _save(folder, network, features, "tagging", LABELS)


def _save_language(folder: Path, level: str, *, ends: bool = False) -> None:
    features = LanguageFeatures(train_tokens(level, ["the cat sat on the mat\nthe dog\n"]), ends=ends, lines=True)
    encoder = Recurrent(input_size=5, hidden_size=8)
    _save(
        folder, Network(Embedding(features.size, 5), encoder, NextTokenHead(features.size)), features, "language-model"
    )


def _save_translator(folder: Path, target: str = "ABCD") -> None:
    options: dict[str, Any] = {"level": "char", "max_vocabulary": 100, "beam": 3}
    features = TranslationFeatures.fit(["abcd"], [target], **options)
    encoder = Recurrent(cell="gru", input_size=6, hidden_size=7, bidirectional=True)
    head = AttentionDecoder(len(features.target), 6, Recurrent(cell="gru", input_size=6, hidden_size=8))
    _save(folder, Network(Embedding(len(features.source), 6), encoder, head), features, "translation")


def _save(folder: Path, network: Network, features: Any, task: str, labels: list[str] | None = None) -> None:
    draw = np.random.default_rng(3)
    tensors = {name: draw.normal(size=shape).astype(np.float32) for name, shape in network.parameter_shapes().items()}
    bundle.save(folder, network, features.to_json(), labels or [], tensors, task=task)
