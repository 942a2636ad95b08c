"""`penstock evaluate` of rows in many files says what it says of the same rows in one file."""

import gzip
import json

import fsspec
import numpy as np
import pyarrow
import pytest
from pyarrow import parquet

import penstock as package
from penstock import read_shards
from penstock.errors import ConfigError, DataError

WORDS = ["good", "kind", "bad", "rude", "food", "staff", "很好", "不好"]


def rows_of(count, seed=0):
    """Labelled texts of a few words; some lack the text or the label."""
    draw = np.random.default_rng(seed)
    texts = [" ".join(draw.choice(WORDS, draw.integers(1, 6))) for _ in range(count)]
    labels = draw.choice(["good", "bad"], count).tolist()
    texts[7 % count], labels[-1] = "", ""
    return list(zip(texts, labels, strict=True))


def write(path, rows):
    """Write rows in the form that the file's ending tells."""
    plain = path.name.removesuffix(".gz")
    if plain.endswith(".parquet"):
        parquet.write_table(
            pyarrow.table({"text": [text for text, _ in rows], "label": [one for _, one in rows]}), path
        )
        return
    if plain.endswith(".jsonl"):
        data = "".join(json.dumps({"text": text, "label": label}) + "\n" for text, label in rows)
    else:
        mark = "\t" if plain.endswith(".tsv") else ","
        data = f"text{mark}label\n" + "".join(f"{text}{mark}{label}\n" for text, label in rows)
    path.write_bytes(gzip.compress(data.encode()) if path.name.endswith(".gz") else data.encode())


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".tsv", ".jsonl", ".parquet"])
def test_a_folder_has_the_figures_of_its_rows_in_one_file(penstock, saved, tmp_path, ending):
    rows = rows_of(3100)  # more than are resampled one by one, and than one block of a file
    folder = tmp_path / "reviews"
    folder.mkdir()
    for name, part in (("a", rows[:1]), ("b", rows[1:2500]), ("c", rows[2500:])):
        write(folder / f"{name}{ending}", part)
    write(tmp_path / f"one{ending}", rows)
    found, alone = (penstock("evaluate", saved, path, "--json") for path in (folder, tmp_path / f"one{ending}"))
    assert (found.code, found.err) == (0, "")
    assert found.out == alone.out
    figures = json.loads(found.out)
    assert figures["dropped"] == {"no text": 1, "no label": 1}
    assert figures["units"] == figures["metrics"].get("rows", 3098) == sum(one["rows"] for one in figures["per_class"])
    shown = penstock("evaluate", saved, folder)
    assert shown.out == penstock("evaluate", saved, tmp_path / f"one{ending}").out
    assert "left out: 1 rows with no text, 1 rows with no label" in shown.out
    assert "precision" in shown.out.lower()


def test_an_address_has_the_figures_of_a_folder(penstock, saved, tmp_path):
    system = fsspec.filesystem("memory")
    rows = rows_of(40)
    for name, part in (("a.csv", rows[:15]), ("b.csv", rows[15:])):
        write(tmp_path / name, part)
        with system.open(f"/judged/{name}", "wb") as file:
            file.write((tmp_path / name).read_bytes())
    try:
        there = penstock("evaluate", saved, "memory://judged", "--json")
    finally:
        system.rm("/judged", recursive=True)
    assert there == penstock("evaluate", saved, tmp_path, "--json")
    assert there.code == 0


def test_one_row_is_enough_and_none_is_refused(penstock, saved, tmp_path):
    write(tmp_path / "a.csv", [("good food", "good")])
    write(tmp_path / "b.csv", [])
    assert json.loads(penstock("evaluate", saved, tmp_path, "--json").out)["units"] == 1
    write(tmp_path / "a.csv", [("", "good"), ("good food", "")])
    refused = penstock("evaluate", saved, tmp_path)
    assert (refused.code, "no rows to evaluate" in refused.err) == (2, True)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("b.csv", b"", "b.csv"),
        ("b.csv", b"review,label\ngood food,good\n", "has no column text"),
        ("b.csv", b"text,label\ngood food,five\n", "'five'"),
        ("b.csv", b"text,label\ngood food,good,more\n", "b.csv"),
        ("b.jsonl", b'{"text": "good food", "label": "good"}\n', "files of one kind"),
    ],
)
def test_a_folder_that_is_of_no_use_is_refused_by_name(penstock, saved, tmp_path, name, content, said):
    write(tmp_path / "a.csv", [("good food", "good")])
    (tmp_path / name).write_bytes(content)
    refused = penstock("evaluate", saved, tmp_path)
    assert (refused.code, refused.out) == (2, "")
    assert said in refused.err


def test_a_part_of_shards_has_the_figures_of_its_rows_in_memory(saved, tmp_path):
    rows = rows_of(300)
    write(tmp_path / "a.csv", rows)
    model = package.load(saved)
    parts = read_shards(tmp_path).split((0.7, 0.3), 3)
    for part in parts:
        blocks = list(part.rows())
        texts = [text for block in blocks for text in block.inputs]
        labels = [label for block in blocks for label in block.answers]
        assert model.evaluate_blocks(part.rows()) == model.evaluate(texts, labels)
    kept = sum(len(block) for part in parts for block in part.rows())
    assert kept == 298
    with pytest.raises(DataError, match="no rows to evaluate"):
        model.evaluate_blocks([])


def test_models_without_blocks_say_so(saved):
    model = package.load(saved)
    with pytest.raises(ConfigError, match="are evaluated on rows in memory"):
        package.runtime.Model.evaluate_blocks(model, [])


def test_compare_reads_a_folder_into_memory(penstock, saved, tmp_path):
    rows = rows_of(60)
    (tmp_path / "several").mkdir()
    write(tmp_path / "several" / "a.csv", rows[:20])
    write(tmp_path / "several" / "b.csv", rows[20:])
    write(tmp_path / "one.csv", rows)
    found = [
        json.loads(penstock("compare", saved, saved, tmp_path / name, "--json").out) for name in ("several", "one.csv")
    ]
    for each in found:
        del each["speed"]
    assert found[0] == found[1]
