"""Tries an installed wheel, with the base install alone: every released model loads and predicts, or streams.

python tests/wheel.py
"""

from pathlib import Path

import penstock
from penstock import engine


def main() -> None:
    models = sorted(Path(__file__).parent.glob("released/*/*/model"))
    assert models, "no released models beside this file"
    for folder in models:
        model = penstock.load(folder)
        if model.task == "text-classification":
            assert model.predict(["fine food"])[0] in model.labels
        if (folder.parent / "stream.txt").exists():
            model.stream()
    print(penstock.__version__, engine.instruction_set(), penstock.__file__, len(models), "models")


if __name__ == "__main__":
    main()
