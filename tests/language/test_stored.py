"""A training on files larger than memory has the bits of one on the same texts in memory."""

import csv
import gzip
import json
import shutil

import fsspec
import numpy as np
import pyarrow
import pytest
from pyarrow import parquet

from penstock import LanguageModel
from penstock.datasets import Rows, plain
from penstock.errors import ConfigError, DataError
from penstock.language import measuring, readers, stored
from penstock.language.baseline_training import spread
from penstock.language.readers import find_corpus, read_corpus, read_text_files
from penstock.sequences import Sequences

TINY = {"hidden_size": 4, "embedding_size": 3, "epochs": 2, "batch_size": 3, "steps": 7, "random_state": 0}
TINY |= {"baseline": False, "examples": 0}
VALID = ["The cat sat. 猫坐。\n", "the dog\nsat"]
LINES = "The cat sat on 1999 mats.\nthe  dog — 狗坐在地上\n\n\nit's né\n"


@pytest.fixture(autouse=True)
def short_pieces(monkeypatch):
    """Pieces of a few lines, so that texts have several, which end where others go on."""
    monkeypatch.setattr(plain, "_PIECE", 60)
    monkeypatch.setattr(plain, "_LONGEST", 500)
    monkeypatch.setattr(plain, "_BYTES", 37)


@pytest.fixture(scope="module")
def books(tmp_path_factory):
    """Plain files: an empty one, one of a token, Windows line breaks, no line break at the end, one packed."""
    folder = tmp_path_factory.mktemp("books")
    for name, text in {
        "a.txt": LINES * 5 + "no end",
        "b.txt": "",
        "c.txt": "x",
        "d.txt": (LINES * 3).replace("\n", "\r\n"),
        "e.txt": " \n",
        "g.txt": "wordwithoutanyblank" * 20 + " and more" * 20 + "\n\n",
    }.items():
        (folder / name).write_bytes(text.encode())
    (folder / "f.txt.gz").write_bytes(gzip.compress((LINES * 2).encode()))
    return folder


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """Short texts in the rows of two tables."""
    folder = tmp_path_factory.mktemp("rows")
    for number, name in enumerate(("a", "b")):
        texts = [f"text {each} of {number}\nsat" for each in range(20)] + ["", "x"]
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("id", "text"), *enumerate(texts)])
    return folder


def same_weights(one, other):
    assert one.model_.tensors.keys() == other.model_.tensors.keys()
    for name, tensor in one.model_.tensors.items():
        np.testing.assert_array_equal(tensor, other.model_.tensors[name])


@pytest.mark.parametrize("level", ["char", "byte", "word", "bpe"])
@pytest.mark.parametrize("data", ["books", "rows"])
def test_weights_features_and_figures_are_those_of_texts_in_memory(data, level, request, tmp_path):
    folder = request.getfixturevalue(data)
    options = TINY | {
        "baseline": True,
        "level": level,
        "recipe": "awd" if data == "books" else "adam",
        "learning_rate": 0.01,
    }
    found = LanguageModel(**options, cache=str(tmp_path)).fit(read_text_files(folder), validation_data=VALID)
    truth = LanguageModel(**options).fit(read_corpus(folder).inputs, validation_data=VALID)
    same_weights(found, truth)
    assert found.model_.features.to_json() == truth.model_.features.to_json()
    for one, other in zip(found.history_, truth.history_, strict=True):
        assert one | {"seconds": 0} == other | {"seconds": 0}
    for name in ("train", "valid", "vocabulary"):
        assert found.metrics_["data"][name] == truth.metrics_["data"][name]
    assert found.metrics_["data"]["dropped"] == {"no text": 2}
    assert found.metrics_["baseline"] == truth.metrics_["baseline"]
    assert 0 <= found.metrics_["input"]["share"] <= 1
    assert truth.metrics_["input"] is None


def test_the_words_of_texts_are_those_of_their_pieces(books, tmp_path):
    options = TINY | {"level": "word", "words": "text"}
    found = LanguageModel(**options, cache=str(tmp_path)).fit(read_text_files(books), validation_data=VALID)
    same_weights(found, LanguageModel(**options).fit(read_corpus(books).inputs, validation_data=VALID))


def test_one_large_file_stays_on_disk(books, monkeypatch, tmp_path):
    path = books / "a.txt"
    monkeypatch.setattr(readers, "MOST_IN_MEMORY", path.stat().st_size - 1)
    found = LanguageModel(**TINY, cache=str(tmp_path)).fit(path, validation_data=VALID)
    assert found.metrics_["input"] is not None
    same_weights(found, LanguageModel(**TINY).fit([path.read_text()], validation_data=VALID))
    monkeypatch.setattr(readers, "MOST_IN_MEMORY", path.stat().st_size)
    assert find_corpus(path).inputs == [path.read_text()]


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_tables_of_other_kinds(kind, rows, tmp_path):
    texts = read_corpus(rows).inputs
    path = tmp_path / "data" / f"a.{kind}"
    path.parent.mkdir()
    table = pyarrow.table({"text": texts})
    if kind == "parquet":
        parquet.write_table(table, path)
    else:
        table.to_pandas().to_json(path, orient="records", lines=True)
    assert list(read_text_files(path.parent).texts()) == list(read_text_files(path).texts()) == texts


def test_a_training_cut_within_an_epoch_resumes_with_the_same_bits(books, tmp_path):
    options = TINY | {"cache": str(tmp_path / "cache")}
    truth = LanguageModel(**options).fit(read_text_files(books), validation_data=VALID)
    options |= {"checkpoint": str(tmp_path / "state")}
    cut = LanguageModel(**options, max_seconds=1e-6).fit(read_text_files(books), validation_data=VALID)
    assert cut.metrics_["stopped"] == "time"
    same_weights(LanguageModel(**options).fit(read_text_files(books), validation_data=VALID), truth)


def test_a_model_learns_on_from_files(books, rows, tmp_path):
    first = LanguageModel(**TINY).fit(VALID, validation_data=VALID)
    known = first.model_.features.to_json()
    again = {"warm_start": True, "epochs": 1}
    first.save(tmp_path / "model")
    found = LanguageModel.load(tmp_path / "model").set_params(**again, cache=str(tmp_path))
    found.fit(read_text_files(books), validation_data=VALID)
    truth = LanguageModel.load(tmp_path / "model").set_params(**again).fit(read_corpus(books).inputs, None, VALID)
    same_weights(found, truth)
    assert found.model_.features.to_json() == known


def test_parts_of_the_same_files_have_no_piece_in_common(books, tmp_path):
    files = read_text_files(books)
    parts = LanguageModel.split(files, (0.6, 0.2, 0.2), 1)
    pieces = [list(part.pieces("reading")) for part in parts]
    assert all(pieces)
    assert sorted(piece for some in pieces for piece in some) == sorted(files.pieces("reading"))
    draws = np.concatenate([draws for _, draws in files.numbered("reading")])
    np.testing.assert_array_equal(sum(part.holds(draws).astype(int) for part in parts), 1)
    found = LanguageModel(**TINY, cache=str(tmp_path)).fit(parts[0], None, parts[1], parts[2])
    valid, test = ([*part.texts()] for part in parts[1:])
    truth = LanguageModel(**TINY).fit([*parts[0].texts()], None, valid, test)
    same_weights(found, truth)
    assert found.metrics_["data"]["test"] == truth.metrics_["data"]["test"]


def test_what_was_prepared_is_used_again_unless_it_is_damaged(books, tmp_path, caplog):
    def fit():
        caplog.clear()
        with caplog.at_level("INFO"):
            return LanguageModel(**TINY, cache=str(tmp_path)).fit(read_text_files(books), validation_data=VALID)

    first = fit()
    assert "prepared the data" in caplog.text
    same_weights(fit(), first)
    assert "using the data prepared" in caplog.text
    (path,) = tmp_path.glob("*/ids.bin")
    path.write_bytes(path.read_bytes()[:-1] + b"\xff")
    same_weights(fit(), first)
    assert "damaged: ids.bin" in caplog.text


def test_pieces_join_to_the_text_whatever_is_read_at_once(books, monkeypatch):
    found = {}
    for size in (1, 5, 64, 1 << 18):
        monkeypatch.setattr(plain, "_BYTES", size)
        for path in sorted(books.iterdir()):
            pieces = list(plain.stream_plain(path))
            assert found.setdefault(path.name, pieces) == pieces
    raw = {path.name: path.read_bytes() for path in books.iterdir()}
    raw["f.txt.gz"] = gzip.decompress(raw["f.txt.gz"])
    assert {name: "".join(pieces) for name, pieces in found.items()} == {
        name: text.decode().replace("\r\n", "\n") for name, text in raw.items()
    }
    assert len(found["a.txt"]) > 3
    assert all(piece.strip() for piece in found["g.txt"])


def test_a_text_without_blanks_is_cut_after_the_longest_piece(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("猫" * 1203)
    assert [len(piece) for piece in plain.stream_plain(path)] == [500, 500, 203]


def test_text_in_another_encoding_is_refused_with_its_line(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"plain\n" * 30 + "né\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"a\.txt, line 31: must be text in UTF-8; got the byte 0xe9") as refused:
        list(plain.stream_plain(path))
    assert "latin-1" in str(refused.value) or "cp1252" in str(refused.value)
    assert "".join(plain.stream_plain(path, "latin-1")).endswith("né\n")
    path.write_bytes(b"a\n\0")
    with pytest.raises(DataError, match="line 2: must be text in UTF-8; got a zero byte"):
        list(plain.stream_plain(path))
    path.write_bytes("né\n".encode("utf-16"))
    assert list(plain.stream_plain(path)) == ["né\n"]


def test_what_cannot_be_learned_from_is_refused_and_nothing_left(books, rows, tmp_path):
    def fit(folder, **options):
        LanguageModel(**TINY | options, cache=str(tmp_path / "cache")).fit(read_text_files(folder), None, VALID)

    shutil.copytree(rows, tmp_path / "wrong")
    (tmp_path / "wrong" / "c.csv").write_text("id,words\n1,one\n")
    with pytest.raises(DataError, match="All files must have these columns"):
        fit(tmp_path / "wrong")
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match="holds no tables"):
        fit(tmp_path / "none")
    (tmp_path / "none" / "a.txt").write_text(" \n")
    with pytest.raises(DataError, match=r"at least one token; they have none \(1 without a text\)"):
        fit(tmp_path / "none")
    (tmp_path / "none" / "b.txt").write_bytes(b"\xff\xfe\xfd")
    with pytest.raises(DataError, match=r"b\.txt"):
        fit(tmp_path / "none")
    for name in ("a.csv", "b.jsonl"):
        (tmp_path / "none" / name).write_text("text\n")
    with pytest.raises(DataError, match=r"one kind; it has 1 of \.csv, 1 of \.jsonl"):
        fit(tmp_path / "none")
    with pytest.raises(DataError, match="All files must have these columns"):
        read_text_files(rows, text="body").check()
    with pytest.raises(DataError, match="level 'notes' learns from pieces"):
        fit(books, level="notes")
    train, valid = LanguageModel.split(read_text_files(rows), (0.999999, 0.000001), 0)
    with pytest.raises(DataError, match="no text is left for valid"):
        LanguageModel(**TINY, cache=str(tmp_path / "cache")).fit(train, None, valid)
    assert not list((tmp_path / "cache").glob("*/")), "nothing half-written is left"


def test_byte_pairs_of_much_text_are_learned_from_a_sample(books, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(stored, "_MOST_LEARNED", 400)
    with caplog.at_level("INFO"):
        options = TINY | {"level": "bpe", "cache": str(tmp_path)}
        found = LanguageModel(**options).fit(read_text_files(books), validation_data=VALID)
    size = sum(path.stat().st_size for path in books.iterdir())
    assert f"learned from one piece of text in {-(-size // 400)}" in caplog.text
    assert found.metrics_["data"]["train"]["unknown"] == 0


def test_ngrams_of_much_text_are_made_of_stretches_spread_evenly():
    ids = np.arange(100_000) % 50_000
    train = Sequences(ids, np.array([0, 60_000, 100_000]))
    assert spread(train, 100_000) is train
    found = spread(train, 40_000)
    np.testing.assert_array_equal(found.offsets, [0, 16_384, 32_768])
    np.testing.assert_array_equal(found[0], ids[:16_384])
    np.testing.assert_array_equal(found[1], ids[-16_384:])


@pytest.mark.parametrize("data", ["books", "rows"])
@pytest.mark.parametrize("level", ["char", "word"])
def test_scores_of_pieces_are_those_of_texts_in_memory(data, level, request, monkeypatch):
    monkeypatch.setattr(measuring, "_AT_ONCE", 100)
    monkeypatch.setattr(measuring, "_REACH", 8)
    files = read_text_files(request.getfixturevalue(data))
    model = LanguageModel(**TINY | {"baseline": True}, level=level).fit(VALID, validation_data=VALID).model_
    found = model.evaluate_blocks(files.rows())
    truth = model.evaluate(list(files.texts()))
    assert found["counts"] == truth["counts"]
    assert found["metrics"] == pytest.approx(truth["metrics"], rel=1e-9)
    assert found["baselines"].keys() == truth["baselines"].keys() == {"kneser_ney", "unigram"}
    for name, scores in truth["baselines"].items():
        assert found["baselines"][name] == pytest.approx(scores, rel=1e-9)
    assert found["baseline"] == found["baselines"]["kneser_ney"]


def test_intervals_of_pieces_are_near_those_of_texts_in_memory(monkeypatch):
    monkeypatch.setattr(measuring, "_STRETCH", 15)
    monkeypatch.setattr(measuring, "_GROUPS", 50)
    text = "".join(np.random.default_rng(0).choice([*LINES], 4000))
    model = LanguageModel(**TINY | {"baseline": True}).fit([LINES * 5], validation_data=VALID).model_
    found, truth = model.evaluate_blocks([Rows([text[:1000], text[1000:]], [0, 0])]), model.evaluate([text])
    assert found["units"] == -(-4000 // 15)
    for name, ends in truth["interval"].items():
        assert found["interval"][name] == pytest.approx(ends, rel=0.02)
    assert found["verdict"] == truth["verdict"]


def test_pieces_without_a_token_and_models_that_adapt_are_refused():
    model = LanguageModel(**TINY).fit(VALID, validation_data=VALID).model_
    assert not model.features.tokens.encode("").size
    single = LanguageModel(**TINY).fit([LINES], validation_data=VALID).model_
    with pytest.raises(DataError, match="at least one token"):
        single.evaluate_blocks([Rows([""], [0])])
    with pytest.raises(ConfigError, match="evaluated on data in memory"):
        model.evaluate_blocks([Rows(["a"], [0])], adapt="cache")


def test_a_large_folder_from_the_command_line(penstock, books, tmp_path, monkeypatch):
    monkeypatch.setattr(readers, "MOST_IN_MEMORY", 0)
    out, small = tmp_path / "model", ["--hidden-size", 4, "--epochs", 1, "--steps", 7, "--batch-size", 3]
    small += ["--split", "0.5/0.25/0.25", "--random-state", 0]
    trained = penstock("train", "language", books, "--out", out, "--cache", tmp_path / "cache", "--json", *small)
    assert trained.code == 0, trained.err
    assert json.loads(trained.out)["dropped"] == {"no text": 2}
    assert (tmp_path / "cache").exists()
    found = json.loads(penstock("evaluate", out, books, "--json").out)
    assert found["dropped"] == {"no text": 2}
    assert found["changed"] == {"line breaks of Windows, read as plain ones": 15}
    monkeypatch.setattr(readers, "MOST_IN_MEMORY", 1 << 20)
    truth = json.loads(penstock("evaluate", out, books, "--json").out)
    assert found["metrics"] == pytest.approx(truth["metrics"], rel=1e-9)
    assert found["changed"] == truth["changed"]
    assert found["dropped"] == truth["dropped"]


def test_an_address(books, monkeypatch):
    fsspec.filesystem("memory").put(str(books), "/lm-books", recursive=True)
    found = find_corpus("memory://lm-books")
    assert list(found.texts()) == read_corpus(books).inputs
    assert read_corpus("memory://lm-books").inputs == read_corpus(books).inputs
