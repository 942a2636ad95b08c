"""docs/cli.md is what the commands say of themselves, and every command has an example that parses."""

import shlex
from pathlib import Path

import pytest

from penstock.cli.application import COMMANDS, command
from penstock.cli.reference import reference

PAGE = Path(__file__).resolve().parents[2] / "docs" / "cli.md"


def test_the_page_is_up_to_date():
    assert PAGE.read_text(encoding="utf-8") == reference(), "run: python -m penstock.cli.reference > docs/cli.md"


def test_every_command_is_on_the_page():
    headings = [line for line in reference().splitlines() if line.startswith("#")]
    assert [f"## `penstock {name}`" for name in COMMANDS if f"## `penstock {name}`" not in headings] == []
    assert "## `penstock train classify`" in headings


def test_no_option_is_described_by_words_of_python():
    assert [line for line in reference().splitlines() if "None" in line] == []


def leaves(found, path):
    if hasattr(found, "list_commands"):
        names = found.list_commands(None)
        for name in names[:1] if path == ["tune"] else names:  # the others' options are those of `penstock train`
            yield from leaves(found.get_command(None, name), [*path, name])
    else:
        yield pytest.param(found, path, id=" ".join(path))


@pytest.mark.parametrize(("found", "path"), list(leaves(command(), [])))
def test_help_has_an_example_that_parses(penstock, found, path):
    result = penstock(*path, "--help")
    assert result.code == 0
    example = found.epilog.removeprefix("Example: ")
    assert " ".join(example.split()) in " ".join(result.out.split())
    words = shlex.split(example.split("|")[-1].split("<")[0])
    assert words[: len(path) + 1] == ["penstock", *path]
    found.make_context("penstock", words[len(path) + 1 :]).close()
