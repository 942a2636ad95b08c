"""Files of texts and of music, and how they are divided."""

import gzip
import json

import numpy as np
import pytest

from penstock import LanguageModel
from penstock.errors import DataError
from penstock.language.data import as_items, cut, divided
from penstock.language.readers import read_corpus, read_corpus_rows, read_prompts
from penstock.sequences import Sequences


def test_a_plain_text_is_one_text_with_its_line_breaks(tmp_path):
    path = tmp_path / "play.txt"
    path.write_bytes(b"First line\r\nsecond n\xc3\xa9\n")
    found = read_corpus(path)
    assert found.inputs == ["First line\nsecond né\n"]
    packed = tmp_path / "play.txt.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert read_corpus(packed).inputs == found.inputs
    assert as_items(str(path), "X") == as_items(path, "X") == found.inputs
    assert read_prompts(path).inputs == ["First line", "second né"]


def test_a_folder_has_a_text_for_each_file(tmp_path):
    for name, text in (("b.txt", "two"), ("a.txt", "one"), ("empty.txt", " \n"), ("notes.md", "no")):
        (tmp_path / name).write_text(text)
    found = read_corpus(tmp_path)
    assert found.inputs == ["one", "two"]
    assert found.dropped == {"no text": 1}
    folder = tmp_path / "none"
    folder.mkdir()
    with pytest.raises(DataError, match=r"holds no tables"):
        read_corpus(folder)


@pytest.mark.parametrize("ending", ["csv", "jsonl", "json"])
def test_a_table_has_a_text_for_each_row(tmp_path, ending):
    rows = [{"n": 1, "text": "one two"}, {"n": 2, "text": ""}, {"n": 3, "text": "three"}]
    path = tmp_path / f"rows.{ending}"
    lines = {
        "csv": "n,text\n" + "".join(f"{row['n']},{row['text']}\n" for row in rows),
        "jsonl": "".join(json.dumps(row) + "\n" for row in rows),
        "json": json.dumps(rows),
    }
    path.write_text(lines[ending])
    found = read_corpus(path)
    assert found.inputs == ["one two", "three"]
    assert found.dropped == {"no text": 1}
    assert found.columns == {"text": "text"}


def test_music_has_parts_of_its_own(tmp_path):
    path = tmp_path / "music.json"
    path.write_text(json.dumps({"train": [[[60], []]], "validation": [[[62]]], "test": [[[64, 67]]]}))
    found = read_corpus(path)
    assert found.inputs == [[[60], []], [[62]], [[64, 67]]]
    parts = LanguageModel.split(found, (0.8, 0.1, 0.1), 0)
    assert [part.inputs for part in parts] == [[[[60], []]], [[[62]]], [[[64, 67]]]]
    columns = dict.fromkeys(("text", "separator", "encoding", "header", "decimal")) | {"part": "test", "header": True}
    assert read_corpus_rows(path, columns, True).inputs == [[[64, 67]]]
    with pytest.raises(DataError, match="has no part 'dev'; it has train, valid, test"):
        read_corpus(path, part="dev")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "can't be read as JSON"),
        ("[]", "must be a list of pieces"),
        ("[[60]]", "piece 1 must be a list of frames"),
        ("[[[60.5]]]", "piece 1 must be a list of frames"),
        ("[[[60]], []]", "piece 2 must be"),
        ('{"train": 3}', "train: must be a list of pieces"),
    ],
)
def test_wrong_music_is_refused(tmp_path, content, message):
    path = tmp_path / "music.json"
    path.write_text(content)
    with pytest.raises(DataError, match=message):
        read_corpus(path)


def test_what_is_no_text_is_refused(tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes(b"caf\xe9 \xff")
    with pytest.raises(DataError, match="must be text in UTF-8"):
        read_corpus(path)
    path.write_bytes(b"")
    with pytest.raises(DataError, match="has no text to learn from"):
        read_corpus(path)
    path.write_text("one")
    with pytest.raises(DataError, match="has no parts to choose from"):
        read_corpus(path, part="test")


def test_a_few_texts_are_divided_in_order_between_lines():
    text = "".join(f"line {number}\n" for number in range(10))
    train, valid, test = divided([text], (0.8, 0.1, 0.1), 0)
    assert train + valid + test == [text[:56], text[56:63], text[63:]]
    assert divided(["ab", "cd"], (0.5, 0.5), 0) == [["ab"], ["cd"]]
    assert divided(["one two three"], (0.5, 0.5), 0) == [["one "], ["two three"]]


def test_many_texts_are_divided_at_random():
    texts = [str(number) for number in range(200)]
    parts = divided(texts, (0.8, 0.2), 3)
    assert [len(part) for part in parts] == [160, 40]
    assert sorted(parts[0] + parts[1]) == sorted(texts)
    assert parts[1] != texts[160:]
    assert parts == divided(texts, (0.8, 0.2), 3)


def test_long_pieces_are_cut():
    whole = Sequences(np.arange(9), np.array([0, 2, 2, 9]))
    assert [part.tolist() for part in cut(whole, 3)] == [[0, 1], [2, 3, 4], [5, 6, 7], [8]]
