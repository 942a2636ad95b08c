"""The command that a model remembers, and the files that were read."""

import hashlib
import shlex
from pathlib import Path

import click
import pytest

from penstock.cli.origin import repeated, sources

COMMAND = click.Command(
    "classify",
    params=[
        click.Argument(["data"], type=click.Path(path_type=Path)),
        click.Option(["--out"], type=click.Path(path_type=Path)),
        click.Option(["--vectors"]),
        click.Option(["--series"]),
        click.Option(["--epochs"], type=int, default=8),
        click.Option(["--baseline/--no-baseline"], default=True),
        click.Option(["--overwrite"], is_flag=True),
        click.Option(["--random-state"], type=int),
        click.Option(["--config"], expose_value=False),
    ],
)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("/secret/reviews.csv", "reviews.csv"),
        ("'/secret/my reviews.csv' --epochs 5 --overwrite", "'my reviews.csv' --epochs 5"),
        ("a.csv --out /secret/model --no-baseline", "a.csv --out model --no-baseline"),
        ("a.csv --baseline --vectors /secret/glove.txt", "a.csv --vectors glove.txt --baseline"),
        ("a.csv --series 'v*' --config /secret/train.toml", "a.csv --series 'v*'"),
        ("a.csv --random-state 3", "a.csv"),
    ],
)
def test_the_command_says_what_was_given_without_paths(given, expected):
    context = COMMAND.make_context("classify", shlex.split(given))
    found = repeated(context, 7, ["vectors"])
    assert found == f"penstock train classify {expected} --random-state 7"


def test_what_a_file_of_options_gave_is_repeated_too():
    context = COMMAND.make_context("classify", ["a.csv"], default_map={"epochs": 5})
    assert repeated(context, 0, []) == "penstock train classify a.csv --epochs 5 --random-state 0"


def test_files_are_reported_by_name_size_and_hash_and_folders_by_name(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"text,label\n")
    (tmp_path / "sounds").mkdir()
    found = sources({"train": [tmp_path / "a.csv", None], "valid": [tmp_path / "sounds"], "test": [None]})
    digest = hashlib.sha256(b"text,label\n").hexdigest()
    assert found == {"train": {"file": "a.csv", "bytes": 11, "sha256": digest}, "valid": {"file": "sounds"}}
