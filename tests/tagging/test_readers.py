"""Files of tagged sentences: CoNLL columns, CoNLL-U, JSON, segmented text; what is left out is counted."""

import gzip
import json
from pathlib import Path

import pytest

from penstock.errors import ConfigError, DataError
from penstock.tagging.readers import read_tags

NEWS = """-DOCSTART- -X- -X- O

# a remark
Ada NNP I-NP I-PER
sings VBZ I-VP O

# # I-NP O
Rome NNP I-NP I-LOC
"""
UNIVERSAL = """# sent_id = 1
# text = don't stop
1-2\tdon't\t_\t_\t_\t_\t_\t_\t_\t_
1\tdo\tdo\tAUX\tVB\tMood=Imp\t0\troot\t_\t_
2\tn't\tnot\tPART\tRB\t_\t1\tadvmod\t_\t_
2.1\tgo\tgo\tVERB\tVB\t_\t_\t_\t_\t_
3\tNew York\tNew York\tPROPN\tNNP\t_\t1\tobj\t_\t_

"""


@pytest.fixture
def written(tmp_path: Path):
    def write(text: str, name: str = "data.conll") -> Path:
        (tmp_path / name).write_bytes(text.encode())
        return tmp_path / name

    return write


@pytest.mark.parametrize(
    ("column", "tags"),
    [
        (None, [["I-PER", "O"], ["O", "I-LOC"]]),
        ("ner", [["I-PER", "O"], ["O", "I-LOC"]]),
        ("pos", [["NNP", "VBZ"], ["#", "NNP"]]),
        ("3", [["I-NP", "I-VP"], ["I-NP", "I-NP"]]),
    ],
)
def test_columns_by_name_or_number(written, column: str | None, tags: list[list[str]]) -> None:
    rows = read_tags(written(NEWS), column=column)
    assert rows.inputs == [["Ada", "sings"], ["#", "Rome"]]
    assert rows.answers == tags
    assert rows.changed == {"document marks, left out": 1}


def test_tabs_keep_blanks_and_ends_of_lines_may_be_of_windows(written) -> None:
    rows = read_tags(written("New York\tB-LOC\r\n\u3000\tO\r\n\r\n \tO\r\n"))
    assert rows.inputs == [["New York", "\u3000"], [" "]]
    assert rows.answers == [["B-LOC", "O"], ["O"]]


def test_blanks_split_columns_but_other_white_space_does_not(written) -> None:
    rows = read_tags(written("\u3000  O\n\u2028 O\n中 B-LOC\n"))
    assert rows.inputs == [["\u3000", "\u2028", "中"]]


@pytest.mark.parametrize(
    ("column", "tags"),
    [
        (None, ["AUX", "PART", "PROPN"]),
        ("XPOS", ["VB", "RB", "NNP"]),
        ("feats", ["Mood=Imp", "_", "_"]),
        ("5", ["VB", "RB", "NNP"]),
    ],
)
@pytest.mark.parametrize("name", ["data.conllu", "data.txt"])
def test_conllu_leaves_out_multiword_tokens_and_empty_nodes(written, name, column, tags) -> None:
    rows = read_tags(written(UNIVERSAL, name), column=column)
    assert rows.inputs == [["do", "n't", "New York"]]
    assert rows.answers == [tags]
    assert rows.changed == {"multiword tokens, left out": 1, "empty nodes, left out": 1}


def test_columns_named_by_the_file(written) -> None:
    path = written("# global.columns = FORM MY:TAG\nup\tA\nhill\tB\n")
    assert read_tags(path, column="my:tag").answers == [["A", "B"]]


def test_tokens_may_be_in_another_column(written) -> None:
    rows = read_tags(written("doc1 0 Ada PER\ndoc1 1 sings O\n"), token="3")
    assert (rows.inputs, rows.answers) == ([["Ada", "sings"]], [["PER", "O"]])


def test_digits_for_the_place_in_a_word_are_cut_off_and_counted(written) -> None:
    rows = read_tags(written("北0\tB-LOC\n京1\tI-LOC\n30\tO\n\nm0\tO\np10\tO\n"))
    assert rows.inputs == [["北", "京", "3"], ["m", "p"]]
    assert rows.changed == {"characters with the digits of their places in words, cut off": 5}


def test_segmented_text_becomes_tags_of_characters(written) -> None:
    rows = read_tags(written("我 爱 北京\n\n图书馆 在 这里 。\n", "words.txt"))
    assert rows.inputs == [list("我爱北京"), list("图书馆在这里。")]
    assert rows.answers == [["S", "S", "B", "E"], ["B", "M", "E", "S", "B", "E", "S"]]
    assert rows.columns == {"form": "text"}


def test_to_predict_each_line_of_text_is_a_sentence(written) -> None:
    path = written("我爱北京\n图书馆在这里。\n", "raw.txt")
    assert read_tags(path, answers=False).inputs == ["我爱北京", "图书馆在这里。"]
    assert read_tags(path, form="text", answers=False).inputs == ["我爱北京", "图书馆在这里。"]


def test_to_predict_tokens_need_no_tags(written) -> None:
    rows = read_tags(written("Ada\nsings\n\nRome\n"), answers=False)
    assert (rows.inputs, rows.answers) == ([["Ada", "sings"], ["Rome"]], None)


def test_json_lines_with_tokens_and_tags(written) -> None:
    lines = [{"id": 7, "tokens": ["Ada", "sings"], "ner_tags": [1, 0]}, {"id": 8, "tokens": [], "ner_tags": []}]
    rows = read_tags(written("\n".join(map(json.dumps, lines)), "data.jsonl"))
    assert (rows.inputs, rows.answers) == ([["Ada", "sings"]], [["1", "0"]])
    assert rows.changed == {"rows without tokens, left out": 1}


def test_a_packed_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.conll.gz").write_bytes(gzip.compress(b"Ada PER\nsings O\n"))
    assert read_tags(tmp_path / "a.conll.gz").inputs == [["Ada", "sings"]]


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("", {}, "is empty; expected a token and its tags on each line"),
        (
            "Ada B-PER\nsings O\nloud\nnow O\nin O\nRome O\n",
            {},
            r"line 3: must have 2 columns.*'loud'.*Is a tag missing",
        ),
        ("Ada\tPER\nsings\n", {}, r"line 2: must have 2 columns split at tabs, like the other lines; got 1"),
        ("Ada\tPER\n\tO\n", {}, r"line 2: must have a token and a tag; got '' and 'O'"),
        (f"Ada O\n{'a' * 10_000} O\n", {}, r"line 2: a token must have at most 1,000 characters; got 10,000"),
        ("Ada\nsings\n\nRome\n", {}, "has no tags: expected a token and its tags on each line"),
        ("Ada B-PER\n", {"column": "3"}, "has no column '3'; it has 2"),
        (NEWS, {"column": "upos"}, r"has no column 'upos'; it has 4 \(form, pos, chunk, ner\)"),
        (NEWS, {"column": "1"}, "has tokens without tags"),
        ("-DOCSTART- O\n\n-DOCSTART- O\n", {}, "has no sentence"),
        ("我 爱 北 京\n他 在\n", {}, "each of its words has one character"),
        ("今天天气很好\n你好吗朋友\n", {"form": "text"}, "has no tags: expected a token and its tags"),
        ("a b\n" + "x" * 2000 + " c d\n", {"form": "text"}, r"line 2: a token must have at most 1,000 characters"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_line(written, text: str, options: dict, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_tags(written(text), **options)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"tokens": ["a", "b"], "tags": ["X"]}, "row 1: must have a tag for each token; got 2 tokens and 1 tags"),
        (
            {"tokens": ["a", ""], "tags": ["X", "Y"]},
            "row 1: tokens must be a list of texts, none of them empty; got ''",
        ),
        ({"tokens": "a b", "tags": ["X", "Y"]}, "row 1: tokens must be a list of texts; got 'a b'"),
        ({"tokens": ["a"], "b": ["X"], "c": ["Y"]}, "the column of lists of tags may be 'b' or 'c'. Name it: --column"),
        ({"text": "a b", "label": "X"}, "has no column tokens, and none that looks like lists of tokens"),
    ],
)
def test_what_is_wrong_with_json_is_said_with_its_row(written, row: dict, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_tags(written(json.dumps(row), "data.jsonl"))


def test_another_kind_of_file_and_an_unknown_form_are_refused(written) -> None:
    with pytest.raises(DataError, match=r"must hold tagged sentences: a token and its tags on each line"):
        read_tags(written("text,label\ngood,1\n", "reviews.csv"))
    with pytest.raises(ConfigError, match="form must be one of columns, conllu, text, json; got 'xml'"):
        read_tags(written(NEWS), form="xml")
