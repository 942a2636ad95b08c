"""The tab key completes commands, options and values, once it was asked to."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import BashComplete

from penstock.cli.application import command


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home of its own, whose shell is bash."""
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "ZDOTDIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SHELL", "/usr/bin/bash")
    return tmp_path


def completed(*words):
    """What may stand for the last word."""
    *before, last = words
    found = BashComplete(command(), {}, "penstock", "_PENSTOCK_COMPLETE").get_completions(before, last)
    return [item.value for item in found]


@pytest.mark.parametrize(
    ("words", "some"),
    [
        (["tr"], {"train"}),
        (["train", ""], {"classify", "regress", "forecast"}),
        (["train", "classify", "x.csv", "--cell", ""], {"rnn", "lstm", "gru"}),
        (["train", "classify", "x.csv", "--hid"], {"--hidden-size"}),
        (["train", "classify", "x.csv", "--series", "v*", "--str"], {"--stride"}),
        (["train", "classify", "--from", "not-there", "--hid"], {"--hidden-size"}),
        (["train", "--con"], {"--config"}),
        (["train", "--config", "not-there.toml", "cl"], {"classify"}),
        (["bench", "--grid", "q"], {"quick"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_words_are_completed(words, some):
    assert some <= set(completed(*words))


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
def test_bash_completes_after_it_was_asked_to(home, penstock):
    (home / ".bashrc").write_text("alias x=y")
    result = penstock("--install-completion")
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith("bash completes penstock from its next start on")
    rc = (home / ".bashrc").read_text()
    assert rc.startswith("alias x=y\n")
    assert penstock("--install-completion", "bash").code == 0
    assert (home / ".bashrc").read_text() == rc  # a line is added once
    script = (
        f". '{home}/.bashrc'; COMP_WORDS=(penstock tr) COMP_CWORD=1; _penstock_completion penstock; echo $COMPREPLY"
    )
    places = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    found = subprocess.run(["bash", "-c", script], capture_output=True, text=True, env=os.environ | {"PATH": places})
    assert (found.stdout, found.stderr) == ("train\n", "")


@pytest.mark.parametrize(
    ("shell", "files"),
    [
        ("zsh", [".local/share/penstock/completion.zsh", ".zshrc"]),
        ("fish", [".config/fish/completions/penstock.fish"]),
    ],
)
def test_other_shells_find_their_scripts(home, penstock, shell, files):
    assert penstock("--install-completion", shell).code == 0
    assert sorted(str(path.relative_to(home)) for path in home.rglob("*") if path.is_file()) == sorted(files)
    assert "_PENSTOCK_COMPLETE" in (home / files[0]).read_text()


def test_other_shells_are_refused_by_name(home, penstock, monkeypatch):
    monkeypatch.setenv("SHELL", "/bin/tcsh")
    result = penstock("--install-completion")
    assert (result.code, result.out) == (2, "")
    assert "must be one of bash, zsh, fish; got tcsh" in result.err
    assert "Did you mean bash?" in penstock("--install-completion", "bsh").err
    assert list(home.iterdir()) == []


def test_a_home_that_can_not_be_written_is_said(home, penstock):
    (home / ".local").write_text("a file")
    result = penstock("--install-completion")
    assert (result.code, result.out) == (2, "")
    assert "can't be written" in result.err
