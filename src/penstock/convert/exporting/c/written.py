"""The texts of header, source and example program."""

from collections.abc import Sequence

from penstock import __version__
from penstock.convert.exporting.c.functions import needed
from penstock.convert.exporting.c.source import Source, identifier
from penstock.network import Value

__all__ = ["files_of", "indented", "string"]


def files_of(source: Source, name: str, *, labels: Sequence[str], task: str) -> dict[str, str]:
    """Return the files' contents by name.

    Args:
        source: the translated network.
        name: the name of the files, and the first part of all names in C.
        labels: the names of the classes, which become a table; may be empty.
        task: the model's task, for the comment.
    """
    return {
        f"{name}.h": _header(source, name, labels, task),
        f"{name}.c": _source(source, name, labels),
        f"{name}_main.c": _main(source, name, labels),
    }


def _header(source: Source, name: str, labels: Sequence[str], task: str) -> str:
    upper, graph = name.upper(), source.graph
    sizes = [
        f"#define {upper}_{identifier(each).upper()}_SIZE {graph.values[each].size}"
        for each in (*graph.inputs, *graph.outputs)
    ]
    state = "\n".join(f"    float {each}[{size}];" for each, size in (source.state or {"unused": 1}).items())
    classes = [
        f"\n/* The names of the outputs. */\nextern const char *const {name}_labels[{len(labels)}];\n" if labels else ""
    ]
    return f"""/* {name}.h: a recurrent network that reads one step at a time. Written by Penstock {__version__}.

   Task: {task}.
   Call {name}_init before the first step of a sequence, and {name}_step for each step.
   Constants: {source.tables.bytes} bytes. A step needs about {source.stack_bytes} bytes of stack.
*/
#ifndef {upper}_H
#define {upper}_H

#include <stddef.h>

{chr(10).join(sizes)}
#define {upper}_STATE_BYTES {source.state_bytes}

/* What is remembered between steps. It may be copied, saved and restored as bytes. */
typedef struct {{
{state}
}} {name}_state;
{"".join(classes)}
#ifdef __cplusplus
extern "C" {{
#endif

/* Set the state to that before the first step. */
void {name}_init({name}_state *state);

{_contract(source)}
void {name}_step({_parameters(source, name)});

#ifdef __cplusplus
}}
#endif

#endif
"""


def _contract(source: Source) -> str:
    lines = ["/* Read one step."]
    for each, value in source.graph.inputs.items():
        what = f"an id; {value.size} or more counts as 0" if value.ids else f"{value.size} numbers"
        lines.append(f"   input_{identifier(each)}: {what}")
    for each in source.graph.outputs:
        value = source.graph.values[each]
        since = "for this step" if value.steps else "for the steps so far"
        lines.append(f"   output_{identifier(each)}: {value.size} numbers {since}")
    return "\n".join(lines) + " */"


def _parameters(source: Source, name: str) -> str:
    inputs = [_input(f"input_{identifier(each)}", value) for each, value in source.graph.inputs.items()]
    outputs = [f"float *output_{identifier(each)}" for each in source.graph.outputs]
    return ", ".join([f"{name}_state *state", *inputs, *outputs])


def _input(name: str, value: Value) -> str:
    return f"size_t {name}" if value.ids else f"const float *{name}"


def _source(source: Source, name: str, labels: Sequence[str]) -> str:
    body = "\n".join([*source.statements, *source.initial])
    scratch = [f"float scratch[{source.scratch}];"] if source.scratch else []
    scratch += [f"short rounded_input[{source.rounded}];"] if source.rounded else []
    unused = [] if source.state else ["(void)state;"]
    clear = [f"clear(state->{each}, {size});" for each, size in (source.state or {"unused": 1}).items()]
    named = (
        []
        if not labels
        else [f"const char *const {name}_labels[{len(labels)}] = {{{', '.join(map(string, labels))}}};\n"]
    )
    parts = [
        f'#include "{name}.h"\n\n#include <math.h>\n#include <stdint.h>\n',
        f"/* The header says how large the state is. */\ntypedef char {name}_state_bytes"
        f"[sizeof({name}_state) == {name.upper()}_STATE_BYTES ? 1 : -1];\n",
        *named,
        *source.tables.text,
        needed(body + "clear("),
        f"void {name}_init({name}_state *state)\n{{\n{indented([*clear, *source.initial])}\n}}\n",
        f"void {name}_step({_parameters(source, name)})\n{{\n{indented([*scratch, *unused, *source.statements])}\n}}\n",
    ]
    return "\n".join(parts)


def _main(source: Source, name: str, labels: Sequence[str]) -> str:
    graph, upper = source.graph, name.upper()
    declared, read, arguments = [], [], []
    for each, value in graph.inputs.items():
        variable = f"input_{identifier(each)}"
        if value.ids:
            declared.append(f"unsigned long {variable};")
            read.append(f'if (scanf("%lu", &{variable}) != 1)\n    break;')
            arguments.append(f"(size_t){variable}")
        else:
            size = f"{upper}_{identifier(each).upper()}_SIZE"
            declared.append(f"float {variable}[{size}];")
            read.append(f'for (i = 0; i < {size}; ++i)\n    if (scanf("%f", &{variable}[i]) != 1)\n        return 0;')
            arguments.append(variable)
    shown = []
    for each in graph.outputs:
        size, variable = f"{upper}_{identifier(each).upper()}_SIZE", f"output_{identifier(each)}"
        declared.append(f"float {variable}[{size}];")
        arguments.append(variable)
        shown.append(f'for (i = 0; i < {size}; ++i)\n    printf("%.9g ", (double){variable}[i]);')
    names = _named_labels(name, labels)
    return f"""/* {name}_main.c: reads numbers from standard input, step by step, and prints the outputs of each step.

   cc -std=c99 -O2 {name}_main.c {name}.c -lm -o {name} && ./{name} < steps.txt */
#include "{name}.h"

#include <stdio.h>

int main(void)
{{
    {name}_state state;
    size_t i;
{indented(declared)}
{names}
    {name}_init(&state);
    for (;;) {{
{indented(read, 2)}
        {name}_step(&state, {", ".join(arguments)});
{indented(shown, 2)}
        printf("\\n");
    }}
}}
"""


def _named_labels(name: str, labels: Sequence[str]) -> str:
    if not labels:
        return ""
    return f"""
    for (i = 0; i < {len(labels)}; ++i)
        printf("%s%s", {name}_labels[i], i + 1 < {len(labels)} ? "," : "\\n");"""


def indented(lines: Sequence[str], levels: int = 1) -> str:
    return "\n".join(" " * 4 * levels + line for each in lines for line in each.split("\n"))


def string(text: str) -> str:
    """A string literal: bytes that are not plain ASCII as octal escapes, which end after three digits."""
    plain = {'"': '\\"', "\\": "\\\\", "?": "\\?"}
    return (
        '"'
        + "".join(
            plain.get(chr(byte)) or (chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}") for byte in text.encode()
        )
        + '"'
    )
