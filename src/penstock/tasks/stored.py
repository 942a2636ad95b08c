"""Prepares labelled rows that are larger than memory: two passes over their files, into a cache on disk.

The first pass learns the features and the classes, counts, and draws the rows that are held in memory: those of
validation and test, and a sample of the training rows for the baseline and the learning curve. The second pass writes
the features of the training rows, from which training reads its batches.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np

from penstock.checks import check_number
from penstock.datasets import Rows
from penstock.datasets.changes import counted
from penstock.errors import DataError
from penstock.events import say
from penstock.labels import LabelIndex, LabelTally
from penstock.sequences import Sequences
from penstock.shards import Cache, Shards, StoredSequences, Writer, default_cache
from penstock.tasks.labelled import TRAINING, Labelled, Part

__all__ = ["ShardOptions", "Storable", "StoredPart", "stored_data"]

_LOGGER = logging.getLogger("penstock.tasks")
_SAMPLE = "sample"
_UNKNOWN = "a label that training rows lack"
_TALLIED = 1 << 16
"""Different labels from which on the classes are judged before all rows are read."""


@dataclass(kw_only=True, eq=False, repr=False)
class ShardOptions:
    """Options of estimators that read rows larger than memory: `Shards`, or recordings that stay in their files.

    Args:
        cache: folder in which data larger than memory is prepared for training, to be used again by the next training
            with the same files and options; None for that of the user, `~/.cache/penstock`.
    """

    paths: ClassVar[tuple[str, ...]] = ("cache",)
    panels: ClassVar[dict[str, tuple[str, ...]]] = {"output": ("cache",)}
    everyday: ClassVar[tuple[str, ...]] = ()

    cache: str | None = None


class Storable(Protocol):
    """What an estimator does for data larger than memory."""

    task: str
    cache: str | None
    validation_share: float

    def shard_rows(self, columns: Mapping[str, list[Any]]) -> Rows:
        """Return the usable rows of a block, perhaps none, from the values of each role."""
        ...

    def learned_features(self, inputs: Iterable[Any]) -> Any:
        """Return features, learned from the training inputs, which can be read once."""
        ...

    def read_features(self, data: Mapping[str, Any]) -> Any:
        """Return features from the result of their `to_json`."""
        ...

    def stored_features(self, features: Any, inputs: list[Any]) -> tuple[Sequences, dict[str, int]]:
        """Return what training reads of some rows, and the amount of data in them, such as {"tokens": 12}."""
        ...

    def feature_key(self) -> dict[str, Any]:
        """Return all that features depend on beside the rows, as JSON."""
        ...

    def _classes(self, answers: Iterable[Any]) -> list[Any]: ...

    def _targets(self, answers: Any, classes: Any, where: str) -> np.ndarray: ...


@dataclass(frozen=True)
class StoredPart(Part):
    """Training rows whose features lie on disk; `inputs` is empty.

    Attributes:
        sequences: the features.
        sample: some of the rows, in memory.
        features: what was learned from the rows.
        amount: the amount of data, such as {"tokens": 12}.
        key: what identifies the rows.
    """

    sequences: StoredSequences = field(kw_only=True)
    sample: Part = field(kw_only=True)
    features: Any = field(kw_only=True)
    amount: dict[str, int] = field(kw_only=True)
    key: str = field(kw_only=True)

    @property
    def in_memory(self) -> Part:
        """The sample."""
        return self.sample

    def digest(self) -> str:
        """Return the key of the cache, a hash of the files and options."""
        return self.key


def stored_data(fitting: Storable, train: Shards, valid: Any, test: Any, seed: int) -> Labelled:
    """Prepare training rows on disk, and validation and test rows in memory.

    Args:
        fitting: the estimator.
        train: the training rows.
        valid: `Shards`, of which a part is drawn if they are many; or inputs and answers in memory; None holds back a
            part of the training rows.
        test: the same, or None for no test.
        seed: the seed of what is drawn.

    Raises:
        DataError: a file lacks a column, can't be read, or has rows that can't be used.
        InputError: the cache can't be written.
    """
    if valid is None:
        check_number("validation_share", fitting.validation_share, above=0, below=1)
        share = fitting.validation_share
        train, valid = train.split((1 - share, share), seed)
    given = {"valid": valid, "test": test}
    held = {part: rows.drawn() for part, rows in given.items() if isinstance(rows, Shards)}
    for rows in {each.files: each for each in (train, *held.values())}.values():
        rows.check()
    key = {
        "task": fitting.task,
        "rows": {part: rows.identity() for part, rows in {"train": train, **held}.items()},
        "features": fitting.feature_key(),
    }
    folder = default_cache() if fitting.cache is None else Path(fitting.cache)
    cache = Cache(folder, key, partial(_prepare, fitting, train, held))
    about = cache.about
    labels, sequences = about["labels"], cache.sequences()

    def part_of(rows: Rows, where: str) -> Part:
        return Part(rows.inputs, fitting._targets(rows.answers or [], labels, where))

    parts: dict[str, Part | None] = {name: part_of(cache.rows(name), name) for name in held}
    for name, rows in given.items():
        if name not in parts:
            found = None if rows is None else fitting._weighed_rows(*rows)  # type: ignore[attr-defined]
            parts[name] = None if found is None else part_of(found, f"{name} data")
    stored = StoredPart(
        (),
        sequences.targets(np.int64 if labels else np.float64),
        sequences=sequences,
        sample=part_of(cache.rows(_SAMPLE), TRAINING),
        features=fitting.read_features(about["features"]),
        amount=about["amount"],
        key=cache.digest,
    )
    measured = parts["valid"]
    assert measured is not None
    return Labelled(labels, stored, measured, parts["test"], dict(about["dropped"]), dict(about["changed"]))


def _prepare(fitting: Storable, train: Shards, held: Mapping[str, Shards], writer: Writer) -> dict[str, Any]:
    """Read the rows twice, and write what training needs; return what is to be known of it."""
    size = sum(path.stat().st_size for path in train.files)
    say(
        _LOGGER,
        "features",
        f"reading {len(train.files)} files ({size / 1e6:,.0f} MB) to learn their features and classes",
    )
    with counted() as changed:
        first = _FirstPass(fitting, train, held)
        features = fitting.learned_features(first.training_inputs())
        first.read_others()
    if not first.rows:
        raise DataError(f"no training rows are left to use: {dict(first.dropped) or 'there are none'}.")
    labels = fitting._classes(first.labels)
    kept = first.kept(labels)
    for part, rows in kept.items():
        if not len(rows) and part != _SAMPLE:
            raise DataError(f"no rows are left for {part}: give a larger share of --split, or files of their own.")
        writer.keep(part, rows)
    say(_LOGGER, "features", f"{first.rows:,} training rows: reading them again to write their features")
    amount: Counter[str] = Counter()
    with counted():  # what a reader changes was counted in the first pass
        for block, rows, draws in train.usable(fitting.shard_rows, "writing features", _LOGGER):
            mine = rows.take(np.flatnonzero(train.holds(draws)))
            if not len(mine):
                continue
            sequences, amounts = fitting.stored_features(features, list(mine.inputs))
            amount.update(amounts)
            targets = fitting._targets(mine.answers or [], labels, block.where)
            writer.add(sequences, targets.astype(np.int32) if labels else targets)
    return {
        "features": features.to_json(),
        "labels": labels,
        "amount": dict(amount),
        "dropped": dict(first.dropped),
        "changed": dict(changed),
    }


class _FirstPass:
    """The rows as they pass by: training inputs are handed on, the rest is counted, or drawn and held.

    Attributes:
        labels: the labels of training rows.
        dropped: how many rows were left out, by reason.
        rows: the training rows.
    """

    def __init__(self, fitting: Storable, train: Shards, held: Mapping[str, Shards]) -> None:
        self.labels, self.dropped, self.rows = LabelTally(), Counter[str](), 0
        self._fitting, self._train = fitting, train
        self._parts = {_SAMPLE: train.drawn(), **held}
        self._held: dict[str, list[Rows]] = {part: [] for part in self._parts}

    def training_inputs(self) -> Iterator[Any]:
        """Yield the inputs of training rows, and gather the parts that are drawn from the same files."""
        beside = {part: rows for part, rows in self._parts.items() if rows.files == self._train.files}
        for _, rows, draws in self._train.usable(self._fitting.shard_rows, "reading", _LOGGER):
            self.dropped.update(rows.dropped)
            self._hold(beside, rows, draws)
            mine = rows.take(np.flatnonzero(self._train.holds(draws)))
            self.rows += len(mine)
            self.labels.add(mine.answers or [])
            if len(self.labels) > _TALLIED:
                self._fitting._classes(self.labels)
            yield from mine.inputs

    def read_others(self) -> None:
        """Gather the parts that have files of their own."""
        for part, shards in self._parts.items():
            if shards.files != self._train.files:
                for _, rows, draws in shards.usable(self._fitting.shard_rows, f"reading {part}", _LOGGER):
                    self.dropped.update(rows.dropped)
                    self._hold({part: shards}, rows, draws)

    def kept(self, labels: list[Any]) -> dict[str, Rows]:
        """Return the rows of each part, without those whose label no training row has; they are counted."""
        index, found = LabelIndex(labels), {}
        for part, several in self._held.items():
            pairs = [pair for rows in several for pair in zip(rows.inputs, rows.answers or [], strict=True)]
            known = [(one, answer) for one, answer in pairs if not labels or index.find(answer) is not None]
            if len(known) < len(pairs):
                self.dropped[_UNKNOWN] += len(pairs) - len(known)
            found[part] = Rows([one for one, _ in known], [answer for _, answer in known])
        return found

    def _hold(self, parts: Mapping[str, Shards], rows: Rows, draws: np.ndarray) -> None:
        for part, shards in parts.items():
            chosen = np.flatnonzero(shards.holds(draws))
            if len(chosen):
                self._held[part].append(rows.take(chosen))
