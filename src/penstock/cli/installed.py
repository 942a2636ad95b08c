"""What Penstock and each of its extras need, what of it is installed, and how to install the rest."""

import re
from dataclasses import dataclass, field
from importlib import metadata

__all__ = ["Extra", "extras"]

# For developers; "all" is the others together.
_LEFT_OUT = ("all", "bench", "dev", "docs")
_REQUIREMENT = re.compile(r"([\w.-]+)(?:\[([\w,-]+)\])?\s*([^;]*?)\s*(?:;.*extra\s*==\s*[\"']([\w-]+)[\"'].*)?")
_VERSION = re.compile(r"\d+(?:\.\d+)*")


@dataclass
class Extra:
    """What belongs to an extra; the name "" is what every installation has.

    name: of the extra
    installed: versions by package
    missing: packages that are not there
    unfit: what is wrong with the versions of others, in words
    """

    name: str
    installed: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    unfit: list[str] = field(default_factory=list)

    @property
    def command(self) -> str:
        """What installs it."""
        return f"pip install 'penstock[{self.name}]'" if self.name else "pip install --force-reinstall penstock"


def extras() -> list[Extra]:
    """The base and the extras, as the metadata of this installation names them."""
    found = {"": Extra("")}
    for requirement in metadata.requires("penstock") or ():
        name, _, versions, extra = _REQUIREMENT.fullmatch(requirement).groups()  # type: ignore[union-attr]
        if extra not in _LEFT_OUT and name != "penstock":
            _note(found.setdefault(extra or "", Extra(extra or "")), name, versions)
    return list(found.values())


def _note(extra: Extra, name: str, versions: str) -> None:
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        extra.missing.append(name)
        return
    extra.installed[name] = version
    wanted = [part.strip() for part in versions.split(",") if part.strip()]
    if not all(_fits(version, part) for part in wanted):
        extra.unfit.append(f"{name} is {version}; it must be {', '.join(wanted)}")


def _fits(version: str, wanted: str) -> bool:
    """Whether a version is at least, or below, another one; other conditions are pip's business."""
    have, bound = _numbers(version), _numbers(wanted)
    if wanted.startswith(">="):
        return have >= bound
    return have < bound if re.match(r"<\d", wanted) else True


def _numbers(text: str) -> tuple[int, ...]:
    found = _VERSION.search(text)
    return tuple(map(int, found[0].split("."))) if found else ()
