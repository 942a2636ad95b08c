"""The requirements of Penstock and its extras: which are installed, and how to install the others."""

import re
from dataclasses import dataclass, field
from importlib import metadata

__all__ = ["Extra", "extras"]

# Extras for developers; "all" is the union of the others.
_LEFT_OUT = ("all", "bench", "dev", "docs")
_REQUIREMENT = re.compile(r"([\w.-]+)(?:\[([\w,-]+)\])?\s*([^;]*?)\s*(?:;.*extra\s*==\s*[\"']([\w-]+)[\"'].*)?")
_VERSION = re.compile(r"\d+(?:\.\d+)*")


@dataclass
class Extra:
    """The packages of an extra; the name "" stands for the base installation.

    name: the name of the extra
    installed: versions by package
    missing: packages that are not installed
    unfit: descriptions of packages with an unsuitable version
    """

    name: str
    installed: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    unfit: list[str] = field(default_factory=list)

    @property
    def command(self) -> str:
        """The command that installs the extra."""
        return f"pip install 'penstock[{self.name}]'" if self.name else "pip install --force-reinstall penstock"


def extras() -> list[Extra]:
    """Return the base and the extras, as listed in the metadata of this installation."""
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
    """Return whether a version satisfies `>=` or `<`; other conditions count as satisfied (pip checks them)."""
    have, bound = _numbers(version), _numbers(wanted)
    if wanted.startswith(">="):
        return have >= bound
    return have < bound if re.match(r"<\d", wanted) else True


def _numbers(text: str) -> tuple[int, ...]:
    found = _VERSION.search(text)
    return tuple(map(int, found[0].split("."))) if found else ()
