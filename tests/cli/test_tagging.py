"""Tagging by the commands: files in several forms in, the same with tags out; and files that can't be used."""

import json
import random

import pytest

SIZES = ("--hidden-size", "8", "--word-size", "8", "--character-size", "4", "--character-hidden-size", "4")
QUICK = (*SIZES, "--epochs", "3", "--learning-rate", "0.05", "--batch-size", "8", "--random-state", "0", "--json")


def trained(*words):
    """Run a training; return its exit code and what it printed last."""
    from penstock.cli import main

    with pytest.MonkeyPatch.context() as patch:
        lines = []
        patch.setattr("builtins.print", lambda *said, **_: lines.append(" ".join(map(str, said))))
        code = main(["train", "tag", *map(str, words), *QUICK])
    assert code == 0, lines
    return json.loads(lines[-1])


@pytest.fixture(scope="module")
def columns(tmp_path_factory):
    """A file in CoNLL-2003's columns, with a document mark, a remark, and a broken chunk."""
    pick = random.Random(0)
    lines = ["-DOCSTART- -X- -X- O", "", "# made up"]
    for _ in range(60):
        name, place = pick.choice(["Ada", "Kurt", "Emmy"]), pick.choice(["Rome", "Oslo"])
        lines += [f"{name} NNP I-NP B-PER", "sings VBZ I-VP O", "in IN I-PP O", f"{place} NNP I-NP B-LOC", ""]
    lines[3] = lines[3].replace("B-PER", "I-PER")
    path = tmp_path_factory.mktemp("data") / "news.conll"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def names(columns, tmp_path_factory):
    """A tagger of names that reads forward, and what its training printed."""
    out = tmp_path_factory.mktemp("models") / "names"
    return out, trained(columns, "--column", "ner", "--no-bidirectional", "--lookahead", "1", "--out", out)


@pytest.fixture(scope="module")
def words(tmp_path_factory):
    """A model of word boundaries."""
    pick = random.Random(0)
    vocabulary = ["我们", "他", "喜欢", "看", "书", "北京", "图书馆"]
    folder = tmp_path_factory.mktemp("words")
    lines = [" ".join(pick.choices(vocabulary, k=pick.randint(2, 6))) for _ in range(40)]
    (folder / "train.txt").write_text("\n".join(lines), encoding="utf-8")
    trained(folder / "train.txt", "--out", folder / "model")
    return folder / "model"


def test_training_counts_what_was_read_and_repaired(names, columns):
    out, figures = names
    assert set(figures["test"]) == {"rows", "f1", "precision", "recall", "accuracy"}
    assert figures["changed"] == {"document marks, left out": 1, "broken tags, repaired": 1}
    metrics = json.loads((out / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["data"]["columns"]["column"] == "ner"
    assert list(metrics["baseline"]) == ["crf", "most_frequent_tag"]
    assert "Each type of span" in (out / "report.html").read_text(encoding="utf-8")


def test_evaluate_gives_accuracy_and_f1(penstock, names, columns):
    found = json.loads(penstock("evaluate", names[0], columns, "--json").out)
    assert set(found["metrics"]) == set(found["baseline"]) == {"f1", "precision", "recall", "accuracy"}
    assert found["units"] == 60
    assert "F1" in penstock("evaluate", names[0], columns).out


def test_columns_get_one_more_and_other_lines_stay(penstock, names, columns, tmp_path):
    result = penstock("predict", names[0], columns)
    given, told = columns.read_text(encoding="utf-8").splitlines(), result.out.splitlines()
    assert len(told) == len(given)
    for before, after in zip(given, told, strict=True):
        is_token = before.count(" ") == 3 and not before.startswith("-DOCSTART-")
        assert after.rpartition(" ")[0] == before if is_token else after == before
    penstock("predict", names[0], columns, "-o", tmp_path / "told.conll")
    assert (tmp_path / "told.conll").read_text(encoding="utf-8") == result.out


def test_conllu_gets_its_column_filled_in(penstock, names, tmp_path):
    lines = ["# text = I sing", "1-2\tIsing" + "\t_" * 8, "1\tAda\tAda" + "\t_" * 7, "2\tsings\tsing" + "\t_" * 7, ""]
    (tmp_path / "new.conllu").write_text("\n".join(lines), encoding="utf-8")
    told = penstock("predict", names[0], tmp_path / "new.conllu", "--column", "xpos").out.splitlines()
    assert (told[0], told[1], told[3].split("\t")[3]) == (lines[0], lines[1], "_")
    assert told[2].split("\t")[4] in ("O", "B-PER", "B-LOC")


def test_json_lines_give_json_lines_with_entities(penstock, names, tmp_path):
    (tmp_path / "new.jsonl").write_text('{"tokens": ["Ada", "sings"]}\n{"tokens": []}\n', encoding="utf-8")
    first, second = map(json.loads, penstock("predict", names[0], tmp_path / "new.jsonl").out.splitlines())
    assert (first["tokens"], len(first["tags"])) == (["Ada", "sings"], 2)
    assert all(set(each) == {"type", "text", "start", "stop"} for each in first["entities"])
    assert second == {"tokens": [], "tags": [], "entities": []}
    assert penstock("predict", names[0], tmp_path / "new.jsonl", "-o", tmp_path / "told.csv").code == 0
    assert '"[""Ada"", ""sings""]"' in (tmp_path / "told.csv").read_text(encoding="utf-8")


def test_a_line_is_a_sentence(penstock, names):
    told = penstock("predict", names[0], "-", stdin=b"Ada sings\nKurt\n").out
    assert [line.split("\t")[0] for line in told.splitlines()] == ["Ada", "sings", "", "Kurt", ""]
    rows = penstock("predict", names[0], "-", "--json", stdin=b"Ada sings\n").out
    assert json.loads(rows)["tokens"] == ["Ada", "sings"]


def test_streamed_tags_come_a_token_later_and_are_those_of_predict(penstock, names):
    whole = json.loads(penstock("predict", names[0], "-", "--json", stdin=b"Ada sings in Oslo\n").out)["tags"]
    told = penstock("stream", names[0], stdin=b"Ada\nsings\nin\nOslo\n\nKurt\n").out
    steps = [[step["prediction"] for step in json.loads(line)["steps"]] for line in told.splitlines()]
    assert list(map(len, steps)) == [0, 1, 1, 1, 1, 0, 1]
    assert [tag for some in steps[:5] for tag in some] == whole


def test_info_says_scheme_and_lookahead(penstock, names):
    described = json.loads(penstock("info", names[0], "--json").out)
    assert (described["scheme"], described["lookahead"], described["streams"]) == ("BIO", 1, True)
    assert "tagging" in penstock("info", names[0]).out


def test_text_goes_in_and_words_come_out(penstock, words, tmp_path):
    (tmp_path / "new.txt").write_text("我们喜欢北京\n他看书\n", encoding="utf-8")
    told = penstock("predict", words, tmp_path / "new.txt").out.splitlines()
    assert [line.replace(" ", "") for line in told] == ["我们喜欢北京", "他看书"]
    assert penstock("predict", words, "-", stdin="我们喜欢北京\n他看书\n".encode()).out.splitlines() == told
    (tmp_path / "gold.txt").write_text("我们 喜欢 北京\n他 看 书\n", encoding="utf-8")
    found = json.loads(penstock("evaluate", words, tmp_path / "gold.txt", "--json").out)
    right = sum(
        len(set(line.split()) & set(gold.split()))
        for line, gold in zip(told, ["我们 喜欢 北京", "他 看 书"], strict=True)
    )
    assert found["metrics"]["recall"] == pytest.approx(right / 6)


@pytest.mark.parametrize(
    ("content", "more", "message"),
    [
        ("", (), "is empty; expected a token and its tags on each line"),
        ("Ada B-PER\nsings\nloud O\nnow O\nhere O\n", (), "line 2: must have 2 columns split at blanks"),
        ("Ada\nsings\n\nloud\n", (), "has no tags"),
        ("Ada B-PER\nsings O\n" * 9, ("--column", "upos", "--form", "conllu"), "line 1: must have 10 columns"),
        ("Ada X\nsings Y\n\n" * 9, ("--scheme", "BIOX"), "scheme must be one of IOB1, BIO"),
        ("Ada B-PER\nsings Q-PER\nso I-PER\n\n" * 9, (), "tags must all be of one scheme"),
        (f"{'a' * 10_000} O\nb B-X\n", (), "line 1: a token must have at most 1,000 characters; got 10,000"),
        ("Ada O\nsings O\n\n" * 9, (), "at least two classes"),
    ],
)
def test_bad_input_is_answered_before_training(penstock, tmp_path, content, more, message):
    (tmp_path / "bad.conll").write_text(content, encoding="utf-8")
    result = penstock("train", "tag", tmp_path / "bad.conll", "--out", tmp_path / "model", *more)
    assert (result.code, result.out) == (2, "")
    assert message in result.err
    assert not (tmp_path / "model").exists()


def test_a_file_of_another_task_is_refused(penstock, tmp_path, names):
    (tmp_path / "reviews.csv").write_text("text,label\ngood,1\n", encoding="utf-8")
    for command in (("train", "tag"), ("evaluate", names[0])):
        more = ("--out", tmp_path / "model") if command[0] == "train" else ()
        result = penstock(*command, tmp_path / "reviews.csv", *more)
        assert result.code == 2
        assert "must hold tagged sentences" in result.err
