"""Recordings with their transcripts: a table of paths, a folder or zip, Kaldi's files, or features made elsewhere.

table       a path and a text in each row of a CSV, TSV, JSON lines or Parquet file; paths are relative to it
folder, zip a text file `a.txt` beside each recording `a.wav`, at any depth
Kaldi       a folder with `wav.scp` and `text`: an id and a path, an id and a text in each line
npz         arrays of NumPy: features (frames, features), offsets (recordings + 1,), transcripts and ids

Who speaks is read where it is known, for scores by speaker: a table's column, Kaldi's `utt2spk`, an array `speakers`.
"""

import logging
from collections.abc import Iterable, Mapping
from itertools import repeat
from pathlib import Path, PurePosixPath
from typing import Any

from penstock.datasets.changes import counted
from penstock.datasets.columns import as_texts
from penstock.datasets.encodings import as_utf8
from penstock.datasets.files import all_bytes
from penstock.datasets.finding import find_column, holds_words, say_found, usual_name
from penstock.datasets.layout import DETECT, Layout, layout_of
from penstock.datasets.readers import column_names, first_rows, read_table
from penstock.datasets.rows import Rows
from penstock.errors import DataError, PenstockError
from penstock.registry import Columns
from penstock.runtime.array_files import read_npz
from penstock.sequences import Sequences
from penstock.sounds.files import Folder, Zip, all_listed, all_of, holds_paths, opened, recording_at
from penstock.sounds.recordings import AUDIO_ENDINGS
from penstock.speech.frames import Frames
from penstock.speech.inputs import spoken_by

__all__ = ["read_speech", "read_speech_rows"]

_LOGGER = logging.getLogger(__name__)
_USUAL_RATE = 100.0  # frames a second, where a file of features doesn't say
_SHOWN = 3  # names in a message


def read_speech(
    path: str | Path,
    *,
    audio: str | None = None,
    text: str | None = None,
    speaker: str | None = None,
    answers: bool = True,
    layout: Layout = DETECT,
) -> Rows:
    """Read recordings, or features made elsewhere, and their transcripts.

    Args:
        path: a table, a folder, a zip, or an `.npz` file; without `answers` also a single recording.
        audio, text: a table's columns; None for the usual names, or the only possible ones.
        speaker: a table's column of speakers; None for that called `speaker`, if there is one.
        answers: whether to read transcripts and speakers. If not, nothing is left out.
        layout: the layout of a text table.

    Raises:
        DataError: the path can't be read, has no recording with a transcript, or is no table but columns were named.
    """
    path = Path(path)
    ending = path.suffix.lower()
    folder = path.is_dir() or ending == ".zip"
    sound = not answers and ending in AUDIO_ENDINGS
    named = next(filter(None, (audio, speaker)), None)
    if named is not None and (folder or sound or ending == ".npz"):
        raise DataError(
            f"{path}: is not a table, so it has no column {named}. Leave --audio, --text and --speaker out."
        )
    if path.is_dir() and (path / "wav.scp").is_file():
        return _kaldi(path, answers, layout)
    if folder:
        return _folder(path, answers, layout)
    if ending == ".npz":
        return _made_elsewhere(path, answers)
    if sound:
        return Rows([recording_at(path)])
    return _table(path, {"audio": audio, "text": text, "speaker": speaker}, answers, layout)


def read_speech_rows(path: Path, columns: Columns, answers: bool) -> Rows:
    """Read recordings and their transcripts by the columns of the task."""
    named = {name: columns.get(name) for name in ("audio", "text", "speaker")}
    return read_speech(path, answers=answers, layout=layout_of(columns), **named)


def _table(path: Path, named: Mapping[str, str | None], answers: bool, layout: Layout) -> Rows:
    with counted() as changed:
        found = _columns(path, {role: named[role] for role in (("audio", "text") if answers else ("audio",))}, layout)
        speaker = (named["speaker"] or usual_name("speaker", column_names(path, layout))) if answers else None
        table = read_table(path, [*found.values(), *([speaker] if speaker else [])], layout)
    names = as_texts(table[found["audio"]], f"the column {found['audio']} of {path}")
    texts = as_texts(table[found["text"]], f"the column {found['text']} of {path}") if answers else [None] * len(names)
    speakers = table[speaker] if speaker else [None] * len(names)
    kept, dropped = [], 0
    for row, (name, said, who) in enumerate(zip(names, texts, speakers, strict=True), start=1):
        if name and name.strip():
            kept.append((name, said or "", who))
        elif answers:
            dropped += 1
        else:
            raise DataError(
                f"{path}: row {row} has no path in the column {found['audio']}. Name a recording, or drop it."
            )
    if not kept:
        raise DataError(f"{path}: no row has a path in the column {found['audio']}")
    recordings = spoken_by(all_listed(path.parent, [name for name, _, _ in kept]), [who for _, _, who in kept])
    given = [said for _, said, _ in kept] if answers else None
    counts = {"no recording": dropped} if dropped else {}
    return Rows(recordings, given, counts, columns=found, changed=dict(changed))


def _columns(path: Path, named: Mapping[str, str | None], layout: Layout) -> dict[str, str]:
    """Return the columns of paths and transcripts: those named, the usual ones, or the only ones that are possible."""
    usual = {role: name or role for role, name in named.items()}
    if all(named.values()) or set(usual.values()) <= set(column_names(path, layout)):
        return usual
    head = first_rows(path, layout)
    found = {role: name for role, name in named.items() if name}
    kinds = (("audio", holds_paths, "recordings"), ("text", holds_words, "transcripts"))
    try:
        for role, fits, what in kinds:
            if role in named and role not in found:
                found[role] = find_column(head, found.values(), fits, usual=role, what=what, flag=f"--{role}")
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    say_found(f"{path}: ", {what: found[role] for role, _, what in kinds if role in named})
    return found


def _folder(path: Path, answers: bool, layout: Layout) -> Rows:
    with opened(path) as source:
        names = source.names()
        if not names:
            raise DataError(f"{path}: holds no recordings; expected files that end in {', '.join(AUDIO_ENDINGS)}")
        if not answers:
            return Rows(all_of(source, names))
        texts = _texts(path, source, layout)
        pairs = {name: texts.pop(str(PurePosixPath(name).with_suffix("")), None) for name in names}
        return _paired(path, pairs, texts, lambda chosen: all_of(source, chosen))


def _texts(path: Path, source: Folder | Zip, layout: Layout) -> dict[str, str]:
    """Return the texts of a folder or zip by their paths without `.txt`."""
    found = {}
    if isinstance(source, Zip):
        names = [name for name in source.archive.namelist() if name.lower().endswith(".txt")]
        read: Any = source.content
    else:
        names = [each.relative_to(path).as_posix() for each in sorted(path.rglob("*.txt"))]
        read = lambda name: (path / name).read_bytes()  # noqa: E731
    for name in names:
        place = PurePosixPath(name)
        if any(part.startswith((".", "__MACOSX")) for part in place.parts):
            continue
        try:
            found[str(place.with_suffix(""))] = as_utf8(Path(f"{path}/{name}"), read(name), layout.encoding).decode()
        except OSError as error:
            raise DataError(f"{path}/{name}: can't be read: {error}") from error
    return found


def _kaldi(path: Path, answers: bool, layout: Layout) -> Rows:
    if (path / "segments").is_file():
        raise DataError(f"{path}: has segments, parts of recordings, which are not read. Cut the recordings first.")
    sounds = _keyed(path / "wav.scp", layout)
    for key, name in sounds.items():
        if name.rstrip().endswith("|"):
            raise DataError(
                f"{path / 'wav.scp'}: {key} is a command, {name!r:.60}, and commands are not run. Write its output "
                "to a file, and name that."
            )
    if not answers:
        return Rows(all_listed(path, sounds.values()))
    if not (path / "text").is_file():
        raise DataError(f"{path}: has wav.scp, and no file text with the transcripts beside it")
    texts = _keyed(path / "text", layout)
    pairs = {key: texts.pop(key, None) for key in sounds}
    speakers = _keyed(path / "utt2spk", layout) if (path / "utt2spk").is_file() else {}
    return _paired(
        path,
        pairs,
        texts,
        lambda chosen: spoken_by(
            all_listed(path, [sounds[key] for key in chosen]), [speakers.get(key) for key in chosen]
        ),
    )


def _keyed(path: Path, layout: Layout) -> dict[str, str]:
    """Return what each line of a file of Kaldi holds behind its first word, the id."""
    found: dict[str, str] = {}
    for number, line in enumerate(as_utf8(path, all_bytes(path), layout.encoding).decode().splitlines(), start=1):
        key, _, rest = line.strip().partition(" ")
        if not key:
            continue
        if key in found:
            raise DataError(f"{path}, line {number}: the id {key!r:.60} stands twice")
        found[key] = rest.strip()
    return found


def _paired(path: Path, pairs: Mapping[str, str | None], others: Iterable[str], read: Any) -> Rows:
    """Return the recordings that have a transcript; the others, and transcripts without a recording, are counted."""
    silent = [name for name, text in pairs.items() if text is None]
    dropped = {}
    for reason, names in (("no transcript", silent), ("no recording", list(others))):
        if names:
            dropped[reason] = len(names)
            more = ", ..." if len(names) > _SHOWN else ""
            what = "recordings have no transcript" if names is silent else "transcripts have no recording"
            _LOGGER.warning("%s: %d %s and are left out: %s%s", path, len(names), what, ", ".join(names[:_SHOWN]), more)
    chosen = {name: text for name, text in pairs.items() if text is not None}
    if not chosen:
        raise DataError(
            f"{path}: no recording has a transcript. Put a text file beside each, such as a.txt beside a.wav, or list "
            "them in a table with a column of paths and one of texts: --audio COL --text COL"
        )
    return Rows(read(list(chosen)), list(chosen.values()), dropped)


def _made_elsewhere(path: Path, answers: bool) -> Rows:
    """Read an `.npz` file of features."""
    arrays = read_npz(path)
    needed = ("features", "offsets", *(("transcripts",) if answers else ()))
    if missing := [name for name in needed if name not in arrays]:
        raise DataError(
            f"{path}: must hold features (frames, features), offsets (recordings + 1,) and transcripts; it lacks "
            f"{', '.join(missing)} and has {', '.join(arrays) or 'nothing'}"
        )
    try:
        parts = Sequences(arrays["features"], arrays["offsets"])
    except PenstockError as error:
        raise DataError(f"{path}: {error}") from error
    for name in ("transcripts", "ids", "speakers"):
        if name in arrays and len(arrays[name]) != len(parts):
            raise DataError(
                f"{path}: must have one of {name} for each of {len(parts)} recordings; got {len(arrays[name])}"
            )
    rate = float(arrays["frames_per_second"]) if "frames_per_second" in arrays else _USUAL_RATE
    if "frames_per_second" not in arrays:
        _LOGGER.info("%s: has no frames_per_second; %g are assumed", path, rate)
    ids = [str(each) for each in arrays.get("ids", range(len(parts)))]
    inputs = spoken_by(map(Frames, parts, repeat(rate), ids), arrays.get("speakers", repeat(None, len(parts))))
    return Rows(inputs, [str(each) for each in arrays["transcripts"]] if answers else None)
