"""Schemes of tags: detection, conversion to BIOES and back, repair as conlleval reads tags, allowed transitions."""

from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import ConfigError, DataError
from penstock.tagging.schemes import SCHEMES, Chunk, chunks, find_scheme, transitions, write_chunks

# The same two persons, who touch, and a place, in every scheme.
SAME = {
    "IOB1": ["I-PER", "I-PER", "B-PER", "O", "I-LOC", "I-LOC", "I-LOC"],
    "BIO": ["B-PER", "I-PER", "B-PER", "O", "B-LOC", "I-LOC", "I-LOC"],
    "BIOES": ["B-PER", "E-PER", "S-PER", "O", "B-LOC", "I-LOC", "E-LOC"],
    "BMES": ["B-PER", "E-PER", "S-PER", "O", "B-LOC", "M-LOC", "E-LOC"],
    "BILOU": ["B-PER", "L-PER", "U-PER", "O", "B-LOC", "I-LOC", "L-LOC"],
}
INNER = [f"{letter}-{kind}" for letter in "BIES" for kind in ("PER", "LOC")] + ["O"]


@pytest.mark.parametrize("name", SAME)
def test_a_scheme_is_detected_and_converted_to_bioes_and_back(name: str) -> None:
    scheme = find_scheme([["O"], SAME[name]])
    assert scheme == SCHEMES[name]
    assert scheme.to_inner(SAME[name]) == (SAME["BIOES"], 0)
    assert scheme.from_inner(SAME["BIOES"]) == SAME[name]


@given(st.sampled_from(list(SCHEMES)), st.lists(st.sampled_from(INNER)))
def test_what_is_repaired_once_is_right(name: str, broken: list[str]) -> None:
    scheme = SCHEMES[name]
    inner, _ = scheme.to_inner(scheme.from_inner(broken))
    assert chunks(inner) == chunks(broken)
    assert scheme.to_inner(scheme.from_inner(inner)) == (inner, 0)
    assert write_chunks(chunks(inner), len(inner)) == inner


@given(st.lists(st.sampled_from(INNER), min_size=1))
def test_a_sequence_is_allowed_if_it_needs_no_repair(tags: list[str]) -> None:
    first, last, after = transitions(INNER, SCHEMES["BIO"])
    at = [INNER.index(tag) for tag in tags]
    allowed = first[at[0]] and last[at[-1]] and all(after[i, j] for i, j in pairwise(at))
    assert allowed == (SCHEMES["BIOES"].to_inner(tags) == (tags, 0))


def test_transitions_of_word_boundaries_have_no_types() -> None:
    first, last, after = transitions(["B", "I", "E", "S"], SCHEMES["BMES"])
    assert first.tolist() == [True, False, False, True]
    assert last.tolist() == [False, False, True, True]
    follows = {"".join(pair) for pair, allowed in zip(product("BIES", repeat=2), after.ravel(), strict=True) if allowed}
    assert follows == {"BI", "BE", "II", "IE", "EB", "ES", "SB", "SS"}


def test_without_a_scheme_everything_is_allowed() -> None:
    assert all(each.all() for each in transitions(["NOUN", "VERB"], None))


@pytest.mark.parametrize(
    ("broken", "right", "count"),
    [
        (["O", "I-PER"], ["O", "B-PER"], 1),  # inside after outside
        (["B-PER", "I-LOC"], ["B-PER", "B-LOC"], 1),  # the type changes
        (["I-PER", "O", "I-PER"], ["B-PER", "O", "B-PER"], 2),
        (["B-PER", "B-PER", "I-PER"], ["B-PER", "B-PER", "I-PER"], 0),
    ],
)
def test_broken_bio_is_repaired_as_conlleval_reads_it(broken: list[str], right: list[str], count: int) -> None:
    inner, repaired = SCHEMES["BIO"].to_inner(broken)
    assert SCHEMES["BIO"].from_inner(inner) == right
    assert repaired == count


def test_a_chunk_without_an_end_ends_where_conlleval_ends_it() -> None:
    assert SCHEMES["BMES"].to_inner(["B-ORG", "M-ORG", "O", "E-ORG"]) == (["B-ORG", "E-ORG", "O", "S-ORG"], 2)


def test_a_few_broken_chunks_do_not_make_bio_iob1() -> None:
    assert find_scheme([["B-PER", "O", "B-PER"], ["O", "I-PER"]]) == SCHEMES["BIO"]


def test_word_boundaries_are_a_scheme_without_types() -> None:
    scheme = find_scheme([["B", "M", "E", "S"]])
    assert scheme == SCHEMES["BMES"]
    assert chunks(scheme.to_inner(["B", "M", "E", "S"])[0]) == [Chunk("", 0, 3), Chunk("", 3, 4)]


def test_another_separator_is_kept() -> None:
    scheme = find_scheme([["B_LOC", "I_LOC", "O"]])
    assert scheme is not None
    assert scheme.from_inner(["S-LOC", "B-LOC", "E-LOC"]) == ["B_LOC", "B_LOC", "I_LOC"]


@pytest.mark.parametrize("tags", [["NOUN", "VERB"], ["O"], ["-LRB-", "B-52", "NN"], ["Case=Nom|Number=Sing", "_"], []])
def test_other_tags_have_no_scheme(tags: list[str]) -> None:
    assert find_scheme([tags]) is None


def test_a_scheme_may_be_named_or_refused() -> None:
    assert find_scheme([["B-PER"]], "iob1") == SCHEMES["IOB1"]
    assert find_scheme([["B-PER"]], "IOBES") == SCHEMES["BIOES"]
    assert find_scheme([["B-PER", "I-PER"]], "none") is None
    with pytest.raises(ConfigError, match="one of IOB1, BIO, BIOES, BMES, BILOU, or none; got 'BIOX'"):
        find_scheme([["B-PER"]], "BIOX")


def test_tags_of_no_scheme_among_others_are_named() -> None:
    with pytest.raises(DataError, match=r"one scheme .* got B-PER, I-PER, Q-PER\. .*scheme='none'"):
        find_scheme([["B-PER", "I-PER", "O", "Q-PER"]])
    with pytest.raises(DataError, match="O, or one of B, I with a type, such as B-PER; got 'E-PER'"):
        SCHEMES["BIO"].to_inner(["E-PER"])
