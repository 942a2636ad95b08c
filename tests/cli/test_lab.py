"""`penstock lab` writes the page and opens it, and leaves nothing behind when it can't."""

import webbrowser

import pytest


@pytest.fixture
def shown(monkeypatch):
    """The addresses that a browser was asked to open."""
    found = []
    monkeypatch.setattr(webbrowser, "open", found.append)
    return found


def test_it_writes_the_page_and_opens_it(penstock, tmp_path, shown, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = penstock("lab")
    assert (result.code, result.err) == (0, "")
    assert result.out == f"{tmp_path / 'lab.html'}\n"
    assert shown == [(tmp_path / "lab.html").as_uri()]
    assert "How recurrent networks remember" in (tmp_path / "lab.html").read_text(encoding="utf-8")


def test_it_only_writes_where_asked_in_the_language_asked(penstock, tmp_path, shown):
    out = tmp_path / "new" / "seite.html"
    assert penstock("lab", "--out", out, "--language", "zh", "--no-open").code == 0
    assert shown == []
    assert out.read_text(encoding="utf-8").startswith('<!DOCTYPE html>\n<html lang="zh-Hans">')
    out.write_text("an older page", encoding="utf-8")
    assert penstock("lab", "--out", out, "--no-open").code == 0
    assert "an older page" not in out.read_text(encoding="utf-8")
    assert [path.name for path in out.parent.iterdir()] == ["seite.html"]


@pytest.mark.parametrize(("words", "said"), [(["--language", "fr"], "'fr'"), (["--out", "."], "is a folder")])
def test_what_it_cannot_do_is_said(penstock, shown, words, said):
    result = penstock("lab", *words)
    assert result.code == 2
    assert said in result.err
    assert shown == []
