"""What penstock[EXTRA] needs, one requirement a line: `python .ci/requirements.py dev`."""

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

PROJECT = tomllib.loads(Path(__file__).parents[1].joinpath("pyproject.toml").read_text(encoding="utf-8"))["project"]


def needed(extra: str) -> Iterator[str]:
    """The requirements of an extra, and of ours that it names."""
    for requirement in PROJECT["optional-dependencies"][extra]:
        ours = re.fullmatch(r"penstock\[(.+)\]", requirement)
        if ours is None:
            yield requirement
            continue
        for each in ours[1].split(","):
            yield from needed(each)


print(*sorted({*PROJECT["dependencies"], *needed(sys.argv[1])}), sep="\n")
