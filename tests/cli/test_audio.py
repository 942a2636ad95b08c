"""Sounds from the command line: folders, zips and tables; and samples as they come."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

import penstock as package
from penstock import bundle
from penstock.runtime import notes
from penstock.sounds.player import wav

QUICK = ("--epochs", "2", "--hidden-size", "8", "--mel-bins", "8")


@pytest.fixture(scope="module")
def folder(spoken, tmp_path_factory):
    """A folder for each word, and a table of all recordings beside them."""
    path = tmp_path_factory.mktemp("sounds") / "words"
    lines = ["sound,word"]
    for number, (recording, label) in enumerate(zip(*spoken, strict=True)):
        name = f"{label}/{number}.wav"
        (path / label).mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(wav(recording.samples, 8000))
        lines.append(f"{name},{label}")
    (path / "list.csv").write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def model(audio_model, tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "words"
    bundle.save(
        path,
        audio_model.network,
        audio_model.features.to_json(),
        audio_model.labels,
        audio_model.tensors,
        task=audio_model.task,
    )
    return path


@pytest.fixture(scope="module")
def sound(spoken):
    """All words in one, as 16-bit little-endian samples."""
    samples = np.concatenate([recording.samples for recording in spoken[0]])
    return (samples * 32767).astype("<i2").tobytes()


def test_a_folder_is_enough_to_train(penstock, folder, tmp_path):
    trained = penstock("train", "classify", folder, "--out", tmp_path / "model", *QUICK, "--json")
    assert trained.code == 0, trained.err
    assert set(json.loads(trained.out)) >= {"out", "valid", "test", "baseline", "seconds", "peak_mb"}
    info = json.loads(penstock("info", tmp_path / "model", "--json").out)
    assert (info["task"], info["labels"]) == ("audio-classification", ["no", "stop", "yes"])
    found = json.loads(penstock("evaluate", tmp_path / "model", folder, "--json").out)
    assert set(found["metrics"]) == {"accuracy", "f1_macro", "log_loss"} == set(found["baseline"])


def test_ctrl_c_while_a_teacher_learns_writes_nothing_and_is_reported(penstock, folder, tmp_path, monkeypatch):
    from penstock.training import Checkpoint

    def interrupt(self, run):
        raise KeyboardInterrupt

    monkeypatch.setattr(Checkpoint, "write", interrupt)  # an epoch is over
    state = ("--checkpoint", tmp_path / "state", "--checkpoint-seconds", "0")
    trained = penstock("train", "classify", folder, "--out", tmp_path / "model", "--teachers", "1", *QUICK, *state)
    assert trained.code == 130
    assert f"{tmp_path / 'model'} was not written" in trained.err
    assert list(tmp_path.iterdir()) == []


def test_a_table_names_its_columns(penstock, folder, tmp_path):
    table, out = folder / "list.csv", tmp_path / "model"
    trained = penstock("train", "classify", table, "--audio", "sound", "--label", "word", "--out", out, *QUICK)
    assert trained.code == 0, trained.err
    answers = [json.loads(line) for line in penstock("predict", out, table).out.splitlines()]
    assert len(answers) == 24
    assert answers[0]["file"].endswith("yes/0.wav")
    assert penstock("evaluate", out, table).code == 0  # by the columns of training


def test_answers_to_a_folder_a_zip_a_table_and_lines_are_the_same(penstock, folder, model, tmp_path):
    archive = shutil.make_archive(str(tmp_path / "words"), "zip", folder)
    paths = sorted(folder.rglob("*.wav"))
    lines = "".join(f"{path}\n" for path in paths).encode()
    found = [
        [json.loads(line) for line in penstock("predict", model, source, stdin=lines).out.splitlines()]
        for source in (folder, archive, "-")
    ]
    assert [answer["file"] for answer in found[0]] == [str(path) for path in paths]
    for other in found[1:]:
        assert [answer["prediction"] for answer in other] == [answer["prediction"] for answer in found[0]]
        assert [answer["probability_no"] for answer in other] == [answer["probability_no"] for answer in found[0]]
    assert found[2] == found[0]


def test_samples_give_scores_and_words(penstock, model, sound):
    result = penstock("stream", model, "--raw", "--threshold", "0.4", stdin=sound)
    lines = [json.loads(line) for line in result.out.splitlines()]
    spotter = package.load(model).spotter(threshold=0.4)
    heard = spotter.push(np.frombuffer(sound, "<i2").astype(np.int16))
    words = [word for line in lines for word in line["words"]]
    expected = heard.words + spotter.finish().words
    assert [(word["word"], word["score"]) for word in words] == [(word.label, word.score) for word in expected]
    assert [word["seconds"] for word in words] == pytest.approx([word.seconds for word in expected], abs=1e-4)
    scored = [line for line in lines if "scores" in line]
    assert [line["seconds"] for line in scored[:3]] == [0.09, 0.19, 0.29]
    assert scored[1]["scores"] == dict(zip(["no", "stop", "yes"], heard.scores[8].tolist(), strict=True))


def test_blocks_words_and_an_odd_byte_at_the_end(penstock, model, sound):
    every = penstock("stream", model, "--raw", "--block-seconds", "0.01", "--words", "stop", stdin=sound[:16001])
    lines = [json.loads(line) for line in every.out.splitlines()]
    assert every.code == 0
    assert [line["seconds"] for line in lines if "seconds" in line] == pytest.approx(
        [0.03 + 0.02 * frame for frame in range(49)], abs=1e-4
    )
    assert {word["word"] for line in lines for word in line["words"]} <= {"stop"}


def test_memory_is_kept_between_runs(penstock, model, sound, tmp_path):
    whole = penstock("stream", model, "--raw", "--threshold", "0.4", stdin=sound).out.splitlines()
    options = ("stream", model, "--raw", "--threshold", "0.4", "--state", tmp_path / "state")
    first = penstock(*options, stdin=sound[:64_000]).out.splitlines()
    kept = (tmp_path / "state").read_bytes()
    assert notes(kept) == {"line": 32_000}
    for rest in (sound[64_000:], sound):
        (tmp_path / "state").write_bytes(kept)
        then = penstock(*options, *(["--skip"] if rest is sound else []), stdin=rest)
        assert then.code == 0, then.err
        assert "goes on after sample 32000" in then.err
        cut_short = len([line for line in whole if "scores" not in line])  # told at the end, where nothing goes on
        assert [*first, *then.out.splitlines()] == whole[: len(whole) - cut_short]


def test_an_answer_comes_before_the_next_block(model, sound):
    command = [sys.executable, "-m", "penstock", "stream", str(model), "--raw"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdin.write(sound[:1600])
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["seconds"] == 0.09
        process.stdin.close()
        assert process.wait() == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--raw", "--words", "go"], "has no label 'go'"),
        (["--raw", "--threshold", "2"], "between 0 and 1; got 2"),
        (["--raw", "--block-seconds", "0"], "--block-seconds must hold at least one sample"),
        *((["--raw", "--block-seconds", length], "3600 at most") for length in ("inf", "1e30", "1e9")),
        (["--raw", "--block-seconds", "nan"], "--block-seconds must be a number; got 'nan'"),
        (["--raw", "--skip"], "--skip needs --state"),
        ([], "Pass --raw, and 16-bit little-endian samples at 8000 Hz"),
    ],
)
def test_what_a_stream_of_sound_refuses(penstock, model, words, message):
    result = penstock("stream", model, *words, stdin=b"0\n")
    assert (result.code, result.out) == (2, "")
    assert message in result.err


def test_texts_are_not_sounds(penstock, saved):
    result = penstock("stream", saved, "--raw")
    assert result.code == 2
    assert "this is a model for text-classification" in result.err


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"yes/a.txt": b"text"}, "holds no recordings"),
        ({"yes/a.wav": b"damaged", "no/b.wav": b"damaged"}, "can't be read as a recording"),
        ({"yes/a.wav": wav(np.zeros(4000, np.float32), 8000)}, "at least two classes"),
        ({"a.wav": wav(np.zeros(4000, np.float32), 8000)}, "must have a folder for each class"),
    ],
)
def test_folders_that_are_of_no_use(penstock, files, message, tmp_path):
    for name, data in files.items():
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(data)
    result = penstock("train", "classify", tmp_path / "in", "--out", tmp_path / "model", *QUICK)
    assert result.code == 2
    assert message in result.err
    assert not (tmp_path / "model").exists()
