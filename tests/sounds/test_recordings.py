"""Recordings from files and from what people hold."""

import io

import numpy as np
import pytest
import soundfile

from penstock.errors import DataError, MissingExtraError, ShapeError
from penstock.sounds import recordings
from penstock.sounds.recordings import Recording, as_recording, decode, read_recording, resampled

TONE = (0.5 * np.sin(np.arange(4000) / 3)).astype(np.float32)


def encoded(samples, rate=8000, *, format="WAV", subtype=None):
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=format, subtype=subtype)
    return file.getvalue()


@pytest.mark.parametrize(
    ("format", "subtype", "tolerance"),
    [("WAV", "PCM_16", 2**-15), ("WAV", "PCM_24", 2**-23), ("WAV", "FLOAT", 0), ("FLAC", "PCM_16", 2**-15)],
)
def test_files(format, subtype, tolerance, tmp_path):
    path = tmp_path / "tone.any"
    path.write_bytes(encoded(TONE, format=format, subtype=subtype))
    found = read_recording(path)
    assert (found.sample_rate_hz, found.channels, found.name, found.seconds) == (8000, 1, str(path), 0.5)
    assert found.samples.dtype == np.float32
    np.testing.assert_allclose(found.samples, TONE, rtol=0, atol=tolerance)  # half a step, and rounding


def test_16_bits_are_read_to_the_bit():
    whole = (TONE * 32767).astype(np.int16)
    np.testing.assert_array_equal(decode(encoded(whole), "tone").samples, as_recording((whole, 8000), 1).samples)


def test_channels_are_mixed():
    stereo = np.stack([TONE, -TONE, TONE], axis=1)
    found = decode(encoded(stereo, subtype="FLOAT"), "three")
    assert found.channels == 3
    np.testing.assert_array_equal(found.samples, stereo.mean(axis=1, dtype=np.float32))
    assert as_recording(stereo, 8000).channels == 3


def test_what_people_hold(tmp_path):
    path = tmp_path / "tone.wav"
    path.write_bytes(encoded(TONE))
    recording = Recording(TONE, 8000)
    assert as_recording(recording, 1) is recording
    assert as_recording(str(path), 1).sample_rate_hz == as_recording(path, 1).sample_rate_hz == 8000
    assert as_recording((TONE, 16000), 1).sample_rate_hz == 16000
    assert as_recording(TONE.astype(np.float64), 4000).sample_rate_hz == 4000
    np.testing.assert_array_equal(as_recording(TONE.tolist(), 4000).samples, TONE)


def test_another_rate_keeps_the_time():
    assert resampled(Recording(TONE, 8000), 8000) is TONE
    assert len(resampled(Recording(TONE, 8000), 16000)) == 8000
    assert len(resampled(Recording(TONE[:0], 8000), 16000)) == 0


@pytest.mark.parametrize(
    "data", [b"", b"RIFF", b"no sound at all", b"RIFF\x24\x00\x00\x00WAVEfmt ", b"fLaC\x00\x00\x00\x22" + b"\x00" * 40]
)
def test_no_recordings(data):
    with pytest.raises(DataError, match=r"clip\.wav: can't be read as a recording: .* Replace it, or leave it out"):
        decode(data, "clip.wav")


def test_a_file_that_was_cut_off():
    sound = np.linspace(-0.5, 0.5, 4000, dtype=np.float32)
    whole = encoded(sound)
    expected = decode(whole, "whole.wav").samples[:2000]
    np.testing.assert_array_equal(decode(whole[: 44 + 2 * 2000], "cut.wav").samples, expected)  # 44 bytes of header
    packed = encoded(sound, format="FLAC")
    with pytest.raises(DataError, match=r"cut\.flac: can't be read as a recording"):
        decode(packed[: len(packed) // 2], "cut.flac")


def test_files_that_hold_nonsense():
    with pytest.raises(DataError, match=r"clip\.wav: samples must be finite"):
        decode(encoded(np.array([0, np.nan], np.float32), subtype="FLOAT"), "clip.wav")
    with pytest.raises(DataError, match=r"clip\.wav: samples must have 1 to 16 channels"):
        decode(encoded(np.zeros((9, 17), np.float32)), "clip.wav")


def test_values_that_are_none(tmp_path):
    with pytest.raises(DataError, match="can't be read: No such file"):
        as_recording(tmp_path / "none.wav", 8000)
    with pytest.raises(DataError, match=r"whole number of samples a second; got 8000\.5"):
        as_recording((TONE, 8000.5), 8000)
    with pytest.raises(DataError, match="got int64"):
        as_recording(np.arange(9), 8000)
    with pytest.raises(DataError, match="samples must be numbers"):
        as_recording([[0.1, 0.2], [0.3]], 8000)
    with pytest.raises(DataError, match=r"full scale from -1 to 1; got .* or beyond 1e\+10"):
        as_recording(np.array([0.1, -1e30]), 8000)
    with pytest.raises(DataError, match="got NaN or infinity"):
        as_recording([0.1, 1e300], 8000)
    with pytest.raises(ShapeError, match=r"got \(2, 2, 2\)"):
        as_recording(np.zeros((2, 2, 2), np.float32), 8000)


def test_without_the_extra(monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(recordings, "import_module", missing)
    with pytest.raises(MissingExtraError, match=r"reading recordings needs .* pip install 'penstock\[audio\]'"):
        decode(b"", "clip.wav")
