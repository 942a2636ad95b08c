"""Files with predicted tags in them, as they were otherwise."""

from pathlib import Path

import pytest

from penstock.tagging.lines import as_lines, rewritten

ANSWERS = [{"tokens": ["Ada", "sings"], "tags": ["B-PER", "O"]}, {"tokens": ["Rome"], "tags": ["B-LOC"]}]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("Ada\nsings\n\nRome\n", "Ada\tB-PER\nsings\tO\n\nRome\tB-LOC\n"),  # tokens alone
        ("Ada NNP\nsings VBZ\n\nRome NNP\n", "Ada NNP B-PER\nsings VBZ O\n\nRome NNP B-LOC\n"),
        ("Ada\t1\nsings\t2\n\n\nRome\t3", "Ada\t1\tB-PER\nsings\t2\tO\n\n\nRome\t3\tB-LOC\n"),
        (
            "-DOCSTART- X\n\n# remark of four words\nAda N\nsings V\n\nRome N\n",
            "-DOCSTART- X\n\n# remark of four words\nAda N B-PER\nsings V O\n\nRome N B-LOC\n",
        ),
    ],
)
def test_columns_get_one_more(tmp_path: Path, given: str, told: str) -> None:
    path = tmp_path / "new.conll"
    path.write_text(given, encoding="utf-8")
    assert "\n".join(rewritten(path, {}, iter(ANSWERS))) + "\n" == told


def test_conllu_gets_the_column_of_the_training(tmp_path: Path) -> None:
    path = tmp_path / "new.conllu"
    path.write_text("1\tAda" + "\t_" * 8 + "\n2\tsings" + "\t_" * 8 + "\n", encoding="utf-8")
    for column, place in ((None, 3), ("xpos", 4), ("6", 5)):
        lines = list(rewritten(path, {"column": column}, ANSWERS[:1]))
        assert [line.split("\t")[place] for line in lines] == ["B-PER", "O"]
        assert sum(line.split("\t").count("_") for line in lines) == 14


def test_sentences_on_lines_become_a_token_a_line(tmp_path: Path) -> None:
    path = tmp_path / "new.txt"
    path.write_text("Ada sings\n\nRome\n", encoding="utf-8")
    assert list(rewritten(path, {}, ANSWERS)) == ["Ada\tB-PER\nsings\tO\n", "Rome\tB-LOC\n"]


def test_words_are_written_between_blanks() -> None:
    assert as_lines({"tokens": list("我们看"), "tags": ["B", "E", "S"], "words": ["我们", "看"]}) == "我们 看"
