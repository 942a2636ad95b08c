"""Tab completion of commands, options and values: installs the scripts that Click generates."""

import os
from pathlib import Path

import click
from click.shell_completion import get_completion_class

from penstock.errors import InputError
from penstock.folders import whole_file

__all__ = ["SHELLS", "install_completion"]

SHELLS = ("bash", "zsh", "fish")
# The line that the start-up file of a shell needs; fish finds the script by its path.
_LINES = {"bash": ". '{script}'", "zsh": "autoload -Uz compinit && compinit && . '{script}'"}


def install_completion(command: click.Command, shell: str | None) -> str:
    """Install completion of a command for a shell; it takes effect when the shell is started again.

    Args:
        command: the root command.
        shell: the name of the shell; None for the user's own.

    Returns:
        A sentence that describes the changes.

    Raises:
        InputError: the shell is not supported, or its files can't be written.
    """
    shell = shell or Path(os.environ.get("SHELL", "")).name
    scripts = get_completion_class(shell) if shell in SHELLS else None
    if scripts is None:
        raise InputError(f"the shell must be one of {', '.join(SHELLS)}; got {shell or 'none'}. Name one of them.")
    name = command.name or ""
    script, profile = _places(shell, name)
    try:
        script.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(script) as new:
            new.write_text(scripts(command, {}, name, f"_{name.upper()}_COMPLETE").source())
        if profile is not None:
            _add_line(profile, _LINES[shell].format(script=script))
    except OSError as error:
        raise InputError(f"{error.filename} can't be written: {error.strerror}") from error
    return f"{shell} completes {name} from its next start on: {script}" + (f", read by {profile}" if profile else "")


def _places(shell: str, name: str) -> tuple[Path, Path | None]:
    """Return the path of the script, and the start-up file that must source it (None for fish)."""
    home = Path.home()
    if shell == "fish":
        config = os.environ.get("XDG_CONFIG_HOME") or home / ".config"
        return Path(config) / "fish" / "completions" / f"{name}.fish", None
    data = os.environ.get("XDG_DATA_HOME") or home / ".local" / "share"
    profiles = {"bash": home, "zsh": Path(os.environ.get("ZDOTDIR") or home)}
    return Path(data) / name / f"completion.{shell}", profiles[shell] / f".{shell}rc"


def _add_line(profile: Path, line: str) -> None:
    before = profile.read_text() if profile.exists() else ""
    if line not in before.splitlines():
        gap = "" if before.endswith("\n") or not before else "\n"
        with profile.open("a") as file:
            file.write(f"{gap}{line}\n")
