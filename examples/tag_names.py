"""Train a tagger of names on a CoNLL file, tag without PyTorch, whole and while a sentence still arrives."""

import random
import tempfile
from pathlib import Path

import penstock
from penstock.tagging.readers import read_tags

# Some names are those of people and of places.
PEOPLE = ("Ada Lovelace", "Kurt", "Emmy Noether", "Carl Friedrich Gauss", "Florence", "Sydney", "Jordan")
PLACES = ("Rome", "New York", "Oslo", "Rio de Janeiro", "Florence", "Sydney", "Jordan")
PATTERNS = ("{p} was born in {l} .", "In {l} , {p} met {p} .", "{p} left {l} for {l} today .")


def write_names(path: Path, sentences: int, seed: int) -> None:
    """Write sentences with a token and its tag on each line."""
    draw = random.Random(seed)
    lines = []
    for _ in range(sentences):
        for word in draw.choice(PATTERNS).split():
            kind, names = {"{p}": ("PER", PEOPLE), "{l}": ("LOC", PLACES)}.get(word, ("O", (word,)))
            for place, token in enumerate(draw.choice(names).split()):
                lines.append(f"{token} {kind if kind == 'O' else ('I-' if place else 'B-') + kind}")
        lines.append("")
    path.write_text("\n".join(lines), encoding="utf-8")


def main() -> None:
    """Write, read, train, save, load, tag and stream."""
    with tempfile.TemporaryDirectory() as folder:
        write_names(Path(folder) / "train.conll", 400, seed=0)
        write_names(Path(folder) / "test.conll", 50, seed=1)
        train, test = (read_tags(Path(folder) / f"{part}.conll") for part in ("train", "test"))
        options = {"bidirectional": False, "lookahead": 1, "hidden_size": 32, "batch_size": 8, "epochs": 6}
        tagger = penstock.Tagger(**options, random_state=0)
        tagger.fit(train.inputs, train.answers).save(Path(folder) / "names")
        model = penstock.load(Path(folder) / "names")

    found = model.evaluate(test.inputs, test.answers)
    print(f"F1 of names: {found['metrics']['f1']:.3f}; most frequent tag of each word: ", end="")
    print(f"{found['baselines']['most_frequent_tag']['f1']:.3f}")
    assert found["metrics"]["f1"] > 0.95

    sentence = ["Emmy", "Noether", "left", "Oslo", "for", "New", "York", "."]
    stream, streamed = model.stream(), []
    for token in sentence:
        final = stream.push([token]).labels
        print(f"{token:<8} {' '.join(final)}")
        streamed += final
    streamed += stream.finish().labels
    assert [streamed] == model.predict([sentence])


if __name__ == "__main__":
    main()
