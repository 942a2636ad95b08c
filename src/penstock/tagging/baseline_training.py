"""Trains the baselines of taggers: the most frequent tag of each word, and a CRF over hand-made features.

The CRF is CRFsuite's (Okazaki 2007). Its weights are saved as arrays, and its own file is read only where it was just
written: of 60 such files with three bytes changed, 26 crashed the process that read them.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import MissingExtraError
from penstock.sequences import Sequences
from penstock.tagging.baselines import handmade_features, packed

__all__ = ["fit_baselines"]

_MOST_TOKENS = 500_000
"""Tokens that the CRF is trained on: twice CoNLL-2003's. Its features take 2 kB of memory for each."""
_SUMS = 8e9
"""Sums over pairs of tags that its training may take, one to three minutes of one core."""
_FEWEST, _MOST = 50, 100
"""Iterations of L-BFGS; where there is no time for the fewest, the averaged perceptron (Collins 2002) is used."""
_PERCEPTRON_ITERATIONS = 10
_L1, _L2 = 0.1, 0.01


def fit_baselines(
    sentences: Sequence[Sequence[str]], targets: Sequences, tags: int, *, seed: int, crf: bool = True
) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Return the arrays of `tagging.baselines.TagBaselines`, and the settings of each baseline for reports.

    Args:
        sentences: the training sentences.
        targets: the places of their tags.
        tags: number of tags.
        seed: of the sentences that the CRF is trained on, if there are more than it takes.
        crf: whether to train the CRF.
    """
    arrays = _most_frequent(sentences, targets, tags)
    if not crf:
        return arrays, {}
    order = np.random.default_rng(seed).permutation(len(sentences)).tolist()
    chosen: list[int] = []
    tokens = 0
    for row in order:
        if chosen and tokens + len(sentences[row]) > _MOST_TOKENS:
            break
        chosen.append(row)
        tokens += len(sentences[row])
    found, settings = _crf(sentences, targets, tags, sorted(chosen), tokens)
    return arrays | found, {"crf": {**settings, "sentences": len(chosen), "attributes": len(found["places"]) - 1}}


def _most_frequent(sentences: Sequence[Sequence[str]], targets: Sequences, tags: int) -> dict[str, NDArray[Any]]:
    """Return the most frequent tag of each word; of an unknown one, that of the words that occur once, as they do."""
    counts: dict[str, Counter[int]] = {}
    for token, tag in zip(chain.from_iterable(sentences), targets.values.tolist(), strict=True):
        counts.setdefault(token, Counter())[tag] += 1
    once = Counter(tag for each in counts.values() if each.total() == 1 for tag in each)
    rare = once or Counter(targets.values.tolist())
    return {
        "words": packed(list(counts)),
        "word_tags": np.array([_first(each) for each in counts.values()], np.int32),
        "unknown_tag": np.array([_first(rare)], np.int32),
    }


def _first(counts: Counter[int]) -> int:
    """The most frequent tag; of several, the one with the smallest number."""
    return min(counts, key=lambda tag: (-counts[tag], tag))


def _crf(
    sentences: Sequence[Sequence[str]], targets: Sequences, tags: int, rows: Sequence[int], tokens: int
) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Train the CRF on some sentences; features and tags are numbers to CRFsuite, which writes names as they are."""
    try:
        import pycrfsuite
    except ImportError as error:
        raise MissingExtraError(
            "the baseline of taggers needs python-crfsuite: pip install 'penstock[train]'; or leave it out: "
            "baseline=False"
        ) from error
    iterations = min(_MOST, int(_SUMS / (tokens * tags**2)))
    trainer = pycrfsuite.Trainer(verbose=False)
    if iterations >= _FEWEST:
        settings: dict[str, Any] = {"algorithm": "L-BFGS", "c1": _L1, "c2": _L2, "max_iterations": iterations}
        trainer.select("lbfgs")
        trainer.set_params({"c1": _L1, "c2": _L2, "max_iterations": iterations})
    else:
        settings = {"algorithm": "averaged perceptron", "max_iterations": _PERCEPTRON_ITERATIONS}
        trainer.select("ap")
        trainer.set_params({"max_iterations": _PERCEPTRON_ITERATIONS})
    numbers: dict[str, int] = {}
    for row in rows:
        features = handmade_features(sentences[row])
        names = [[str(numbers.setdefault(name, len(numbers))) for name in each] for each in features]
        trainer.append(names, [str(tag) for tag in targets[row].tolist()])
    with TemporaryDirectory() as folder:
        path = str(Path(folder) / "crf")
        trainer.train(path)
        tagger = pycrfsuite.Tagger()
        with tagger.open(path):
            weights = tagger.info()
    return _arrays(weights, list(numbers), tags), settings


def _arrays(weights: Any, names: Sequence[str], tags: int) -> dict[str, NDArray[Any]]:
    """Return the weights that are not 0, feature by feature."""
    entries = sorted((int(name), int(tag), weight) for (name, tag), weight in weights.state_features.items() if weight)
    used = sorted({number for number, _, _ in entries})
    counts = Counter(number for number, _, _ in entries)
    transitions = np.zeros((tags, tags), np.float32)
    for (tag, after), weight in weights.transitions.items():
        transitions[int(tag), int(after)] = weight
    return {
        "attributes": packed([names[number] for number in used]),
        "places": np.cumsum([0, *(counts[number] for number in used)]),
        "labels": np.array([tag for _, tag, _ in entries], np.int32),
        "weights": np.array([weight for _, _, weight in entries], np.float32),
        "transitions": transitions,
    }
