"""Joins JavaScript modules into one script, because a browser loads no module from a file."""

import re
from collections.abc import Callable

__all__ = ["bundled"]

_IMPORT = re.compile(r'^import \{ ([^}]+) \} from "\./([\w]+\.js)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const) (\w+))", re.MULTILINE)


def bundled(entry: str, read: Callable[[str], str]) -> str:
    """Return one script that does what the module `entry` does.

    Each module becomes a function that is called once, after those that it imports.

    Args:
        entry: the name of a module, such as "main.js".
        read: returns the source of a module by name. Modules import names as `import { a, b } from "./other.js";` and
            export functions, classes and constants where they are declared.
    """
    found: dict[str, str] = {}

    def add(name: str, above: tuple[str, ...]) -> None:
        if name in above:
            raise ValueError(f"modules import each other in a circle: {' → '.join((*above, name))}")
        if name in found:
            return
        source = read(name)
        for _, other in _IMPORT.findall(source):
            add(other, (*above, name))
        found[name] = _as_function(name, source)

    add(entry, ())
    return '"use strict";\nconst modules = {};\n' + "\n".join(found.values())


def _as_function(name: str, source: str) -> str:
    body = _IMPORT.sub(lambda found: f'const {{ {found[1]} }} = modules["{found[2]}"];\n', source)
    exported = ", ".join(_EXPORT.findall(source))
    body = _EXPORT.sub("", body)
    return f'modules["{name}"] = (() => {{\n{body}return {{ {exported} }};\n}})();'
