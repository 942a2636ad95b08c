"""Train a small text classifier, save it, and predict while a text is still arriving, without PyTorch."""

import tempfile
from pathlib import Path

import penstock

GOOD = ["great food", "kind staff", "lovely room", "a quiet bed", "真好吃", "很喜欢", "服务好"]
BAD = ["awful food", "rude staff", "dirty room", "a noisy bed", "真难吃", "不喜欢", "服务差"]


def main() -> None:
    """Train, save, load and stream."""
    clf = penstock.TextClassifier(cell="gru", hidden_size=32, random_state=0)
    clf.fit(GOOD * 10 + BAD * 10, ["good"] * 70 + ["bad"] * 70)
    with tempfile.TemporaryDirectory() as folder:
        clf.save(Path(folder) / "sentiment")
        model = penstock.load(Path(folder) / "sentiment")

    stream = model.stream()
    for piece in ["the room", "was dirty", "but the staff", "was kind"]:
        answer = stream.push(piece)
        print(f"{piece:<15} good: {answer['good']:.2f}")
    assert stream.finish() == answer

    # The prediction for the whole text is bit-identical to that of the stream.
    text = "the room\nwas dirty\nbut the staff\nwas kind"
    whole = dict(zip(model.labels, model.predict_proba([text])[0].tolist(), strict=True))
    assert whole == answer


if __name__ == "__main__":
    main()
