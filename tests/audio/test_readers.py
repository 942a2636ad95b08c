"""Recordings from folders, zips and tables, and what is said where they are none."""

import io
import zipfile

import numpy as np
import pytest
import soundfile

from penstock.audio.readers import read_recordings
from penstock.errors import DataError
from penstock.sounds.files import recording_at


def sound(number: int, *, format: str = "WAV") -> bytes:
    file = io.BytesIO()
    soundfile.write(file, np.full(400, number / 100, np.float32), 8000, format=format)
    return file.getvalue()


FILES = {
    "no/1.wav": sound(1),
    "no/deeper/2.FLAC": sound(2, format="FLAC"),
    "yes/3.wav": sound(3),
    "yes/notes.txt": b"not a recording",
    "yes/.hidden.wav": b"not a recording either",
    "__MACOSX/yes/._3.wav": b"nor is this",
}
LABELS = ["no", "no", "yes"]


def levels(rows) -> list[int]:
    """Which recordings these are."""
    return [round(float(recording.samples[0]) * 100) for recording in rows.inputs]


def folder_of(path, files):
    for name, data in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


def zip_of(path, files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


@pytest.fixture
def folder(tmp_path):
    return folder_of(tmp_path / "sounds", FILES)


def test_compressed_recordings_are_read_by_content_under_any_name(tmp_path):
    tone = np.sin(np.arange(8000) * 0.3).astype(np.float32) / 2
    for place, (format, subtype) in enumerate((("MP3", None), ("OGG", "VORBIS"), ("OGG", "OPUS"), ("AIFF", None))):
        soundfile.write(tmp_path / f"{place}.bin", tone, 8000, format=format, subtype=subtype)
    (tmp_path / "list.csv").write_text("audio,label\n0.bin,a\n1.bin,b\n2.bin,a\n3.bin,b\n")
    for recording in read_recordings(tmp_path / "list.csv").inputs:
        assert recording.sample_rate_hz == 8000
        assert abs(len(recording.samples) - 8000) <= 2400  # MP3 pads its ends
        # Lossy, but of the same loudness.
        assert np.sqrt(np.mean(recording.samples[2000:6000] ** 2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.1)


def test_paths_and_labels_that_nobody_named_are_found(folder):
    (folder / "few.csv").write_text("n,where,word\n1,no/1.wav,a\n2,yes/3.wav,b\n3,no/1.wav,a\n4,yes/3.wav,b\n")
    rows = read_recordings(folder / "few.csv")
    assert (levels(rows), rows.answers) == ([1, 3, 1, 3], ["a", "b", "a", "b"])
    assert rows.columns == {"audio": "where", "label": "word"}


def test_folders_are_classes(folder):
    rows = read_recordings(folder)
    assert (levels(rows), rows.answers, rows.dropped) == ([1, 2, 3], LABELS, {})
    assert rows.inputs[0].name == str(folder / "no" / "1.wav")
    assert read_recordings(folder, answers=False).answers is None


@pytest.mark.parametrize("inside", ["", "sounds/", "all/of/them/"])
def test_zips_are_folders(inside, tmp_path):
    path = zip_of(tmp_path / "sounds.zip", {inside + name: data for name, data in FILES.items()})
    rows = read_recordings(path)
    assert (levels(rows), rows.answers) == ([1, 2, 3], LABELS)
    assert rows.inputs[0].name == f"{path}/{inside}no/1.wav"
    assert levels(read_recordings(path, answers=False)) == [1, 2, 3]


def test_tables_name_paths_also_into_zips(folder, tmp_path):
    zip_of(folder / "more.zip", {"flat.wav": sound(7)})
    table = folder / "list.csv"
    table.write_text(f"path,word\nno/1.wav,no\nmore.zip/flat.wav,yes\n{folder / 'yes' / '3.wav'},yes\n,no\nno/1.wav,\n")
    rows = read_recordings(table, audio="path", label="word")
    assert (levels(rows), rows.answers) == ([1, 7, 3], ["no", "yes", "yes"])
    assert rows.dropped == {"no recording": 1, "no label": 1}
    (folder / "few.csv").write_text("path\nmore.zip/flat.wav\n")
    assert levels(read_recordings(folder / "few.csv", audio="path", answers=False)) == [7]


def test_single_paths(folder, tmp_path):
    path = zip_of(tmp_path / "more.zip", {"in/flat.wav": sound(7)})
    assert recording_at(folder / "yes" / "3.wav").seconds == 0.05
    assert recording_at(f"{path}/in/flat.wav").name == f"{path}/in/flat.wav"
    with pytest.raises(DataError, match=r"more\.zip/none\.wav: is not in the zip"):
        recording_at(path / "none.wav")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"yes/a.txt": b""}, r"holds no recordings; expected files that end in \.wav, \.flac, \.mp3"),
        (
            {"a.wav": sound(1), "b.wav": sound(2)},
            r"folder for each class; a\.wav is in none.*--audio COL --label COL",
        ),
        ({"yes/a.wav": sound(1), "b.wav": sound(2)}, r"folder for each class; b\.wav is in none"),
        ({"yes/a.wav": sound(1), "no/b.wav": b"damaged"}, r"no/b\.wav: can't be read as a recording"),
        ({"yes/a.wav": sound(1), "no/b.flac": b""}, r"no/b\.flac: can't be read as a recording"),
    ],
)
def test_folders_and_zips_that_are_of_no_use(files, message, tmp_path):
    for path in (folder_of(tmp_path / "sounds", files), zip_of(tmp_path / "sounds.zip", files)):
        with pytest.raises(DataError, match=message):
            read_recordings(path)


def test_tables_that_are_of_no_use(folder):
    table = folder / "list.csv"
    table.write_text("audio,label\nno/9.wav,no\n")
    with pytest.raises(DataError, match=r"no/9\.wav: can't be read: No such file"):
        read_recordings(table)
    table.write_text("audio,label\n,no\nno/1.wav,\n")
    with pytest.raises(DataError, match=r"no rows are left to use\. Check the columns audio and label"):
        read_recordings(table)
    with pytest.raises(DataError, match="row 1 has no path in the column audio"):
        read_recordings(table, answers=False)
    with pytest.raises(DataError, match="has no column path; it has audio, label"):
        read_recordings(table, audio="path")
    with pytest.raises(DataError, match="is not a table, so it has no column path"):
        read_recordings(folder, audio="path")


@pytest.mark.parametrize("says", [True, False], ids=["flag", "no flag"])
def test_names_in_a_zip_are_utf_8_whether_flagged_or_not(tmp_path, says):
    data = zip_of(tmp_path / "a.zip", {"低/a.wav": sound(1), "高/b.wav": sound(2)}).read_bytes()
    other = tmp_path / "b.zip"
    # The flag, bit 11, in the headers of files and of the directory.
    other.write_bytes(data if says else data.replace(b"\x14\0\0\x08", b"\x14\0\0\0"))
    assert [each.flag_bits for each in zipfile.ZipFile(other).infolist()] == [0x800 * says] * 2
    assert read_recordings(other).answers == ["低", "高"]


def test_names_in_a_zip_of_another_encoding_are_refused(tmp_path):
    path = zip_of(tmp_path / "a.zip", {"LL/a.wav": sound(1), "HH/b.wav": sound(2)})
    path.write_bytes(path.read_bytes().replace(b"LL/", "低/".encode("gbk")).replace(b"HH/", "高/".encode("gbk")))
    with pytest.raises(DataError, match=r"a\.zip: the names inside must be in UTF-8.* Unpack it"):
        read_recordings(path)


def test_damaged_zips(tmp_path):
    path = tmp_path / "sounds.zip"
    path.write_bytes(b"no zip")
    with pytest.raises(DataError, match=r"sounds\.zip: can't be read as a zip"):
        read_recordings(path)
    data = bytearray(zip_of(path, {"yes/a.wav": sound(1), "no/b.wav": sound(2)}).read_bytes())
    data[200:300] = bytes(100)
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"yes/a\.wav: can't be read"):
        read_recordings(path)
    with pytest.raises(DataError, match=r"none\.zip: can't be read as a zip: No such file"):
        read_recordings(tmp_path / "none.zip")
