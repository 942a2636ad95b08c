"""The demo's labelled reviews keep the promises made about them."""

import re
from collections import Counter, defaultdict
from importlib.resources import files

import pytest

RUN = 5  # no two reviews may share this many consecutive tokens
TOKEN = re.compile(r"[a-z0-9]+(?:['’][a-z0-9]+)*|[\u4e00-\u9fff]")
LENGTHS = {"en": (5, 25), "zh": (8, 40)}  # words; characters


@pytest.fixture(scope="module")
def lines():
    text = (files("penstock.cli") / "demo_reviews.tsv").read_text(encoding="utf-8")
    return text.splitlines()


@pytest.fixture(scope="module")
def rows(lines):
    return [tuple(line.split("\t")) for line in lines[1:]]


def tokens(text):
    """Lower-cased English words and single Han characters; punctuation is dropped and breaks nothing."""
    return TOKEN.findall(text.lower())


def test_format(lines):
    assert lines[0] == "split\tlanguage\tlabel\ttext"
    for line in lines[1:]:
        fields = line.split("\t")
        assert len(fields) == 4, f"a tab inside the text, or a missing field: {line!r}"
        split, language, label, text = fields
        assert split in {"train", "test"}
        assert language in {"en", "zh"}
        assert label in {"positive", "negative"}
        assert text
        assert text == text.strip()


def test_counts_and_balance(rows):
    assert len(rows) >= 400
    languages = Counter(language for _, language, _, _ in rows)
    assert abs(languages["en"] / len(rows) - 0.5) <= 0.02
    cells = Counter((split, language, label) for split, language, label, _ in rows)
    for split in ("train", "test"):
        for language in ("en", "zh"):
            positive, negative = (cells[split, language, label] for label in ("positive", "negative"))
            assert abs(positive / (positive + negative) - 0.5) <= 0.02, (split, language)


def test_a_fifth_is_held_back(rows):
    held = Counter(language for split, language, _, _ in rows if split == "test")
    assert held.total() >= 80
    assert held.total() / len(rows) == pytest.approx(0.2, abs=0.02)
    assert min(held["en"], held["zh"]) >= 40


def test_lengths(rows):
    for _, language, _, text in rows:
        low, high = LENGTHS[language]
        size = len(text.split()) if language == "en" else len(text)
        assert low <= size <= high, text


def test_language_matches_script(rows):
    for _, language, _, text in rows:
        if language == "en":
            assert text.isascii(), text
        else:
            assert not re.search("[A-Za-z]", text), text


def test_no_duplicates(rows):
    counts = Counter(" ".join(tokens(text)) for *_, text in rows)
    assert [text for text, count in counts.items() if count > 1] == []


def test_no_two_reviews_share_a_run(rows):
    seen = defaultdict(set)
    for number, (*_, text) in enumerate(rows, start=2):
        words = tokens(text)
        for start in range(len(words) - RUN + 1):
            seen[" ".join(words[start : start + RUN])].add(number)
    shared = {run: sorted(where) for run, where in seen.items() if len(where) > 1}
    assert shared == {}, "run of tokens: line numbers"
