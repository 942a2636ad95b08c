"""Examples to learn from, to validate and to test with: whole series, or windows of them."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from penstock.datasets import random_split
from penstock.detect.data import DetectData, TrainingTimelines, check_change, split_by_time, unlabelled
from penstock.detect.timelines import Timelines
from penstock.errors import ConfigError, DataError
from penstock.tasks.options import check_validation_share

__all__ = ["prepare_examples", "split_examples"]

_FEWEST = 2
"""Rows without which there is nothing to reproduce."""


def split_examples(data: Timelines, shares: Sequence[float], window: int | None, seed: int) -> list[Timelines]:
    """Split series by time if examples are cut out of them, and otherwise whole series at random.

    Raises:
        DataError: a part would be empty.
    """
    if window is not None:
        return split_by_time(data, shares)
    _check_several(data)
    parts = random_split(len(data), shares, random_state=seed)
    return [data.with_series([data.series[place] for place in part.tolist()]) for part in parts]


def prepare_examples(
    train: Timelines, valid: Timelines | None, test: Timelines | None, share: float, window: int | None, seed: int
) -> DetectData:
    """Divide the training series if there are none to validate with; labelled examples are left out of training.

    Raises:
        DataError: covariates, examples that are too short or never change, or none without a label to validate with.
        ConfigError: a share that makes no sense, or a window longer than every series.
    """
    if train.covariates:
        raise DataError(
            f"an example is reproduced from its own values; there can be no covariates, got "
            f"{', '.join(train.covariates)}. Make them targets, leave them out, or choose kind='forecast'."
        )
    changed = sum((Counter(part.changed) for part in (train, valid, test) if part is not None), Counter())
    dropped = sum((Counter(part.dropped) for part in (train, valid, test) if part is not None), Counter())
    if window is None:
        _check_several(train)
    if valid is None:
        check_validation_share(share)
        train, valid = split_examples(train, (1 - share, share), window, seed)
    longest = max(map(len, train))
    if window is not None and window > longest:
        raise ConfigError(
            f"window must be at most the {longest} rows of the longest training series; got {window}. Choose a shorter "
            "one, or leave it out if each series is an example."
        )
    learned, marked = unlabelled(train)
    kept = [series for series in learned if len(series) >= _FEWEST and not np.isnan(series.values).all()]
    if not kept:
        raise DataError("examples to learn from must have at least 2 rows without a labelled anomaly; there are none")
    if len(kept) < len(train):
        dropped["examples of one row, or labelled as a whole"] = len(train) - len(kept)
    if marked:
        changed["steps in labelled windows, left out of training"] = marked
    learned = learned.with_series(kept)
    check_change(learned)
    if all(mask[series.begin :].all() for series, mask in zip(valid, valid.marked(), strict=True)):
        raise DataError(
            "the validation data must have rows outside labelled windows, because they set the threshold; all are "
            "labelled. Give other validation data, or a larger share."
        )
    return DetectData(TrainingTimelines(learned, 0), valid, test, dict(dropped), dict(changed))


def _check_several(data: Timelines) -> None:
    if len(data) == 1:
        raise DataError(
            "without window each series is an example, and there is only one. Name the column that tells examples "
            "apart (id, --id), or the rows of an example (window, --window)."
        )
