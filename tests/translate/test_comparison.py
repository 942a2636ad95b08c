"""Two translators compared on the same texts."""

import pytest

from penstock.inspection import compare


@pytest.mark.parametrize("language", ["en", "zh"])
def test_translators_differ_where_their_texts_do(fitted, small, make_words, tmp_path, language):
    other = small(epochs=1, baseline=False).fit(*make_words(40, 3))
    sources, targets = make_words(12, 4)

    found = compare(fitted, other, sources, targets, names=("long", "short"), seconds=0.01)

    ours, theirs = fitted.predict(sources), other.predict(sources)
    apart = [row for row in range(12) if ours[row] != theirs[row]]
    assert apart
    assert found.figures["disagreements"]["rows"] == len(apart)
    first = found.disagreements[0]
    assert (first["row"], first["source"], first["truth"]) == (apart[0] + 1, sources[apart[0]], targets[apart[0]])
    assert (first["prediction_a"], first["prediction_b"]) == (ours[apart[0]], theirs[apart[0]])
    assert found.figures["verdict"]["chrf"] == "better"
    page = found.report(tmp_path / "page.html", language=language).read_text(encoding="utf-8")
    assert f'data-metric="/disagreements/shown/0/prediction_b">{first["prediction_b"]}' in page
