"""Completion of commands, options and values by the tab key: Click has the scripts, this puts them in their places."""

import os
from pathlib import Path

import click
from click.shell_completion import get_completion_class

from penstock.errors import InputError

__all__ = ["SHELLS", "install_completion"]

SHELLS = ("bash", "zsh", "fish")
# What a shell's own file has to say; fish finds the script by its place.
_LINES = {"bash": ". '{script}'", "zsh": "autoload -Uz compinit && compinit && . '{script}'"}


def install_completion(command: click.Command, shell: str | None) -> str:
    """Let a shell complete the words of a command from its next start on.

    Args:
        command: the whole one.
        shell: its name; None for the user's own.

    Returns:
        What was done, in a sentence.

    Raises:
        InputError: another shell, or its files can't be written.
    """
    shell = shell or Path(os.environ.get("SHELL", "")).name
    scripts = get_completion_class(shell) if shell in SHELLS else None
    if scripts is None:
        raise InputError(f"the shell must be one of {', '.join(SHELLS)}; got {shell or 'none'}. Name one of them.")
    name = command.name or ""
    script, profile = _places(shell, name)
    try:
        script.parent.mkdir(parents=True, exist_ok=True)
        script.write_text(scripts(command, {}, name, f"_{name.upper()}_COMPLETE").source())
        if profile is not None:
            _add_line(profile, _LINES[shell].format(script=script))
    except OSError as error:
        raise InputError(f"{error.filename} can't be written: {error.strerror}") from error
    return f"{shell} completes {name} from its next start on: {script}" + (f", read by {profile}" if profile else "")


def _places(shell: str, name: str) -> tuple[Path, Path | None]:
    """Where the script goes, and the shell's own file that must read it."""
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
