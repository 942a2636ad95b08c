"""Trains on generated text that is larger than memory, and checks what memory and waiting it takes.

    python benchmarks/scale/larger_than_memory.py --gigabytes 5 --max-seconds 300
    python benchmarks/scale/larger_than_memory.py --task language --level word --gigabytes 5 --max-seconds 300

It writes reviews made from a seed into a temporary folder as CSV files, trains a text classifier or a language model on
them with a time limit, and prints
the peak of anonymous memory (which the process can't give back) and of resident memory (with mapped pages of files,
which the system may drop), both above what a process has that only imported PyTorch; and the share of the steps' time
in which they waited for input. It ends with an error if a peak is above the limit, or the share is.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

_WORDS, _PHRASES, _PHRASE_WORDS, _MOST_PHRASES = 200_000, 20_000, 10, 15
_FILE_BYTES, _BLOCK = 64_000_000, 500
_GIB = 1 << 30


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--task", choices=["classify", "language"], default="classify")
    parser.add_argument("--level", choices=["char", "byte", "word", "bpe"], default="word", help="of a language model")
    parser.add_argument("--gigabytes", type=float, default=5.0, help="size of the text, 10^9 bytes")
    parser.add_argument("--max-seconds", type=float, default=300.0, help="time limit of the training itself")
    parser.add_argument("--limit-gib", type=float, default=1.5, help="memory allowed above PyTorch's own")
    parser.add_argument("--share", type=float, default=0.05, help="share of waiting allowed")
    parser.add_argument("--hidden-size", type=int, default=256, help="of the network; a small one waits the most")
    parser.add_argument("--folder", type=Path, help="where to write; default: a temporary folder, removed at the end")
    parser.add_argument("--trained", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.trained is not None:
        return train(given.trained, given)
    folder = given.folder or Path(tempfile.mkdtemp(prefix="larger-than-memory-"))
    try:
        started = time.perf_counter()
        rows = generate(folder / "reviews", given.gigabytes * 1e9)
        print(f"{given.gigabytes:g} GB of text, {rows:,} rows, written in {time.perf_counter() - started:.0f} s")
        return judge(measure(folder), given.limit_gib, given.share)
    finally:
        if given.folder is None:
            shutil.rmtree(folder, ignore_errors=True)


def generate(folder: Path, size: float) -> int:
    """Write CSV files of so many bytes in all; return the number of rows. The seed of a file is its number.

    A review has phrases of words by Zipf's law, a word that tells its label, and a word that no other review has.
    """
    folder.mkdir(parents=True, exist_ok=True)
    chances = 1 / np.arange(1, _WORDS + 1)
    ends = np.cumsum(chances / chances.sum())
    words = np.array([_spelled(number) for number in range(_WORDS)])
    tell = {"good": "splendid", "bad": "dreadful"}
    rows = written = file = 0
    while written < size:
        generator, own = np.random.default_rng([0, file]), 0
        drawn = words[np.searchsorted(ends, generator.random((_PHRASES, _PHRASE_WORDS)))]
        phrases = [" ".join(phrase) for phrase in drawn]
        with (folder / f"part-{file:04}.csv").open("w", encoding="ascii") as to:
            to.write("text,label\n")
            while own < min(_FILE_BYTES, size - written):
                counts = generator.integers(2, _MOST_PHRASES, _BLOCK)
                chosen = generator.integers(0, _PHRASES, (_BLOCK, _MOST_PHRASES)).tolist()
                for count, places, label in zip(counts, chosen, generator.choice(list(tell), _BLOCK), strict=True):
                    text = " ".join([phrases[place] for place in places[:count]])
                    own += to.write(f"{text} {tell[label]} n{rows},{label}\n")
                    rows += 1
        written, file = written + own, file + 1
    return rows


def _spelled(number: int) -> str:
    """Return a word of letters for a number; frequent words are short."""
    letters = ""
    while True:
        number, letter = divmod(number, 26)
        letters = chr(97 + letter) + letters
        if not number:
            return letters
        number -= 1


def measure(folder: Path) -> dict[str, Any]:
    """Train in a process of its own; return its figures."""
    subprocess.run([sys.executable, __file__, *sys.argv[1:], "--trained", str(folder)], check=True)
    found: dict[str, Any] = json.loads((folder / "figures.json").read_text())
    return found


def train(folder: Path, given: argparse.Namespace) -> int:
    """Train here, while a thread looks at this process's memory ten times a second."""
    import torch  # noqa: F401  # its own memory is the starting point

    before = _memory()
    peak = dict(before)
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.1):
            for name, size in _memory().items():
                peak[name] = max(peak[name], size)

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        started = time.perf_counter()
        metrics = (fit_language if given.task == "language" else fit_classifier)(folder, given)
        seconds = time.perf_counter() - started
    finally:
        ended.set()
        watching.join()
    figures = {f"{name}_above": peak[name] - before[name] for name in peak} | {
        f"{name}_before": before[name] for name in before
    }
    figures |= metrics["input"] | {"seconds": seconds, "train": metrics["data"]["train"], "test": metrics["test"]}
    (folder / "figures.json").write_text(json.dumps(figures))
    return 0


def fit_classifier(folder: Path, given: argparse.Namespace) -> dict[str, Any]:
    """Train a classifier; return its metrics."""
    from penstock import TextClassifier, read_shards

    classifier = TextClassifier(**options(folder, given))
    parts = classifier.split(read_shards(folder / "reviews", text="text", label="label"), (0.8, 0.1, 0.1), 0)
    return classifier.fit(parts[0], None, (parts[1], None), (parts[2], None)).metrics_


def fit_language(folder: Path, given: argparse.Namespace) -> dict[str, Any]:
    """Train a language model; return its metrics."""
    from penstock import LanguageModel, read_text_files

    model = LanguageModel(**options(folder, given), level=given.level)
    parts = model.split(read_text_files(folder / "reviews", text="text"), (0.8, 0.1, 0.1), 0)
    return model.fit(parts[0], None, parts[1], parts[2]).metrics_


def options(folder: Path, given: argparse.Namespace) -> dict[str, Any]:
    """Return the options that both tasks have."""
    limits = {"max_seconds": given.max_seconds, "epochs": 1, "hidden_size": given.hidden_size}
    return limits | {"cache": str(folder / "cache"), "verbose": 1, "random_state": 0}


def judge(figures: dict[str, Any], limit_gib: float, share: float) -> int:
    """Print the figures, and return 1 if one is above its limit."""
    wrong = []
    for name in ("anonymous", "resident"):
        above = figures[f"{name}_above"] / _GIB
        print(f"{name} memory: at most {above:.2f} GiB above the {figures[f'{name}_before'] / _GIB:.2f} GiB of PyTorch")
        wrong += [name] * (above > limit_gib)
    print(
        f"input: steps waited {figures['wait_seconds']:.1f} s of {figures['step_seconds']:.0f} s "
        f"({100 * figures['share']:.1f} %)"
    )
    amounts = ", ".join(f"{amount:,} {name}" for name, amount in figures["train"].items() if isinstance(amount, int))
    print(f"training data: {amounts}; {figures['seconds']:.0f} s in all")
    print("test data: " + ", ".join(f"{name} {value:.4g}" for name, value in figures["test"].items() if name != "rows"))
    wrong += ["waiting"] * (figures["share"] > share)
    print(f"above the limit: {', '.join(wrong)}" if wrong else "all within the limits")
    return int(bool(wrong))


def _memory() -> dict[str, int]:
    """Return this process's memory in bytes, as Linux tells it."""
    names = {"RssAnon": "anonymous", "VmRSS": "resident"}
    lines = (line.split() for line in Path("/proc/self/status").read_text().splitlines())
    return {
        names[name]: int(words[0]) * 1024
        for name, *words in ((key.rstrip(":"), *rest) for key, *rest in lines)
        if name in names
    }


if __name__ == "__main__":
    sys.exit(main())
