"""Learn sentences word by word, continue them without PyTorch, and find a slip by its surprisal."""

import random
import tempfile
from pathlib import Path

import penstock

WHO = {"captain": "she", "pilot": "he", "sailors": "they", "twins": "they", "queen": "she"}
WHERE = ["harbour", "island", "lighthouse", "market"]


def story(draw: random.Random) -> str:
    """Return a sentence whose pronoun depends on its first noun."""
    who = draw.choice(list(WHO))
    verb, again = draw.choice([("walked", "sang"), ("sailed", "waved"), ("ran", "slept")])
    return f"the {who} {verb} to the {draw.choice(WHERE)} and then {WHO[who]} {again} ."


def main() -> None:
    """Train, save, load, continue and score."""
    draw = random.Random(0)
    model = penstock.LanguageModel(
        level="word", words="text", hidden_size=48, epochs=12, batch_size=16, learning_rate=0.01, random_state=0
    ).fit([story(draw) for _ in range(800)])
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder) / "stories")
        loaded = penstock.load(Path(folder) / "stories")

    stream = loaded.stream(seed=1)
    stream.push("the queen sailed")
    fork = stream.fork()  # the prompt is read once
    told = stream.generate(12, temperature=0.5)
    print("the queen sailed" + told)
    assert fork.generate(12, temperature=0.5) == told
    assert " she " in told

    tokens = ["the", "pilot", "ran", "to", "the", "market", "and", "then", "she", "slept", "."]
    surprisal = -loaded.predict([" ".join(tokens)])[0]
    for token, nats in zip(tokens, surprisal, strict=False):
        print(f"{token:<8} {'*' * round(float(nats) * 4)}")
    assert tokens[int(surprisal[: len(tokens)].argmax())] == "she"  # the pilot is "he" everywhere else


if __name__ == "__main__":
    main()
