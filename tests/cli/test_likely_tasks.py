"""Data of one task given to another: the message says what it looks like, and which command learns from it."""

import json
from collections.abc import Callable
from itertools import cycle
from pathlib import Path

import pytest

from penstock.cli.likely_tasks import hint
from penstock.registry import TASKS

TEXTS = [
    f"a {word} day at the {place}"
    for word in ("good", "bad", "long", "dry", "wet")
    for place in ("sea", "inn", "zoo", "hut")
]


def reviews(folder: Path) -> Path:
    rows = zip(TEXTS, cycle(["yes", "no"]), strict=False)
    return written(folder / "reviews.csv", "text,label\n" + "".join(f"{text},{label}\n" for text, label in rows))


def marks(folder: Path) -> Path:
    rows = zip(cycle([0, 1]), TEXTS, strict=False)
    return written(folder / "marks.tsv", "mark\ttext\n" + "".join(f"{mark}\t{text}\n" for mark, text in rows))


def labels_first(folder: Path) -> Path:
    rows = zip(cycle(["yes", "no"]), TEXTS, strict=False)
    return written(folder / "spam.tsv", "label\ttext\n" + "".join(f"{label}\t{text}\n" for label, text in rows))


def pairs(folder: Path) -> Path:
    return written(folder / "pairs.tsv", "".join(f"{text}\t{text[::-1]}\n" for text in TEXTS))


def shops(folder: Path) -> Path:
    days = "".join(f"2024-01-{day:02},{day % 7}\n" for day in range(1, 31))
    return written(folder / "shops.csv", f"day,sold\n{days}")


def signals(folder: Path) -> Path:
    rows = "".join(f"{row},{row * row},{'up' if row % 2 else 'down'}\n" for row in range(20))
    return written(folder / "signals.csv", f"x,y,direction\n{rows}")


def manifest(folder: Path) -> Path:
    lines = "".join(f"wavs/{row}.wav,{text}\n" for row, text in enumerate(TEXTS))
    return written(folder / "manifest.csv", f"path,transcript\n{lines}")


def tagged(folder: Path) -> Path:
    rows = [{"tokens": text.split(), "tags": ["O"] * len(text.split())} for text in TEXTS]
    return written(folder / "tags.jsonl", "".join(f"{json.dumps(row)}\n" for row in rows))


def columns(folder: Path) -> Path:
    return written(folder / "train.conll", "".join(text.replace(" ", " O\n") + " O\n\n" for text in TEXTS))


def plain(folder: Path) -> Path:
    return written(folder / "book.txt", "\n".join(TEXTS))


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def recordings(folder: Path) -> Path:
    (folder / "words/yes").mkdir(parents=True)
    (folder / "words/yes/1.wav").touch()
    return folder / "words"


SOUND = "recordings in a table, for penstock train classify --audio path or transcribe --audio path."
LOOKS: dict[Callable[[Path], Path], tuple[str, set[str]]] = {
    reviews: ("texts with labels, for penstock train classify.", {"text-classification"}),
    marks: ("texts with labels, for penstock train classify.", {"text-classification"}),
    pairs: ("pairs of texts, for penstock train translate.", {"translation"}),
    shops: ("time series, for penstock train forecast or detect.", {"forecasting", "anomaly-detection"}),
    signals: (
        "signals, for penstock train classify --series COL,COL or regress --series COL,COL.",
        {"series-classification", "series-regression"},
    ),
    manifest: (SOUND, {"audio-classification", "speech-recognition"}),
    tagged: ("tagged sentences, for penstock train tag.", {"tagging"}),
    columns: ("tagged sentences, for penstock train tag.", {"tagging"}),
    plain: (
        "plain text, for penstock train language or tag or translate.", {"language-model", "tagging", "translation"}
    ),
    recordings: (
        "recordings, for penstock train classify or transcribe.", {"audio-classification", "speech-recognition"}
    ),
}  # fmt: skip


@pytest.mark.parametrize("made", LOOKS, ids=lambda made: made.__name__)
def test_each_other_task_names_the_fitting_commands(made, tmp_path):
    path, (words, own) = made(tmp_path), LOOKS[made]
    assert TASKS.keys() >= own
    for name, task in TASKS.items():
        found = hint(task, path)
        assert found.startswith(f" It looks like {words}") if name not in own else not found, name


@pytest.mark.parametrize(
    ("command", "made", "message"),
    [
        ("tag", pairs, "must hold tagged sentences: a token and its tags on each line, and an empty line after each"),
        ("tag", reviews, "must hold tagged sentences"),
        ("tag", recordings, "is a folder; expected a file. It looks like recordings"),
        ("classify", pairs, "It looks like pairs of texts, for penstock train translate"),
        ("classify", plain, "To classify texts, list them in a table with a label for each."),
        ("classify", manifest, "for penstock train classify --audio path"),
        ("classify --series u,v", signals, "has no column u, v; it has x, y, direction"),
        ("regress", recordings, "is a folder; expected a table"),
        ("forecast --horizon 3", reviews, "has no column y, and none that looks like numbers; it has text, label"),
        ("language", shops, "none that looks like texts; it has day, sold. Name it: --text COL (text=...). It looks"),
        ("language", signals, "none that looks like texts"),
        ("translate", reviews, "'label' has only 2 different texts"),
        ("translate", labels_first, "name the columns: --source label --target text. It looks like texts with labels"),
        ("translate", manifest, "It looks like recordings in a table"),
        ("transcribe", reviews, "It looks like texts with labels, for penstock train classify."),
    ],
)
def test_the_message_on_data_of_another_task(command, made, message, tmp_path, penstock):
    first, *options = command.split()
    result = penstock("train", first, made(tmp_path), *options, "--out", tmp_path / "model")
    assert result.code == 2
    assert message in result.err
    assert not (tmp_path / "model").exists()


def test_a_saved_model_is_no_data(saved, tmp_path, penstock):
    result = penstock("train", "language", saved, "--out", tmp_path / "model")
    assert result.code == 2
    assert f"{saved}: is the folder of a saved model; expected data to learn from" in result.err
