"""`penstock doctor`: checks this installation."""

import json
import os
import platform
import time
from typing import Any

import click

from penstock import __version__
from penstock.cli.command import command, option
from penstock.cli.installed import Extra, extras


@command("doctor", example="penstock doctor")
@option("--json", "as_json", is_flag=True, help="Print one JSON object instead.")
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> None:
    """Check the installation: packages and extras, the engine, and in half a second whether it computes right.

    Exits with 1 if something is wrong. An extra that is not installed is nothing wrong.
    """
    parts = extras()
    engine, problems = _engine()
    problems = [*(words for part in parts for words in _wrong(part)), *problems]
    if as_json:
        print(json.dumps(_machine() | {"engine": engine, "extras": _described(parts), "problems": problems}))
    else:
        _show(engine, parts, problems)
    ctx.exit(1 if problems else 0)


def _machine() -> dict[str, Any]:
    return {
        "penstock": __version__,
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
    }


def _engine() -> tuple[dict[str, Any], list[str]]:
    """What the engine uses, and what is wrong with it."""
    try:
        from penstock import engine
        from penstock.cli.self_test import self_test

        described: dict[str, Any] = {"instruction_set": engine.instruction_set(), "threads": engine.get_num_threads()}
        described["available"] = [name for name in ("plain", "avx2", "avx512") if engine.runs_here(name)]
        started = time.perf_counter()
        problems = self_test()
        described["self_test_seconds"] = round(time.perf_counter() - started, 3)
    except Exception as error:  # whatever it is, to find it is what this command is for
        return {}, [f"the engine does not run: {type(error).__name__}: {error}"]
    return described, problems


def _wrong(part: Extra) -> list[str]:
    missing = [] if part.name else [f"{name} is missing. {part.command}" for name in part.missing]
    return missing + [f"{words}. {part.command}" for words in part.unfit]


def _described(parts: list[Extra]) -> dict[str, Any]:
    return {
        part.name or "base": {
            "installed": part.installed,
            "missing": part.missing,
            "install": part.command if part.missing else None,
        }
        for part in parts
    }


def _show(engine: dict[str, Any], parts: list[Extra], problems: list[str]) -> None:
    about = _machine()
    print(f"Penstock {about['penstock']}, Python {about['python']}, {about['platform']}, {os.cpu_count()} processors")
    if engine:
        others = ", ".join(engine["available"])
        print(f"Engine: {engine['instruction_set']} (this machine runs {others}); threads: {engine['threads']}")
    for part in parts:
        print(f"{part.name or 'base'}: " + ", ".join(f"{name} {version}" for name, version in part.installed.items()))
        if part.missing:
            print(f"  not installed: {', '.join(part.missing)}. To install: {part.command}")
    for words in problems:
        print(f"wrong: {words}")
    if not problems:
        print(f"Self-test: engine, reference and stream agree ({engine['self_test_seconds']:.1f} s). All is well.")
