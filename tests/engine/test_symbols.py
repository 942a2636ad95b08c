"""No vector code outside the kernels that were chosen for it: an old CPU would stop at the first such instruction.

A linker keeps one copy of an inline function that several objects share. If the AVX2 object brings such a function,
its copy may be the one that the portable code calls. So all vector code must be in functions that no other object sees.
"""

import platform
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

pytestmark = [
    pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="instructions of x86-64 are looked for"),
    pytest.mark.skipif(not shutil.which("objdump"), reason="no objdump: install binutils"),
]

SYMBOL = re.compile(r"[0-9a-f]{16} (?P<flags>.{7}) \S+\t[0-9a-f]{16} (?:\.\w+ )?(?P<name>\S+)")
FUNCTION = re.compile(r"[0-9a-f]{16} <(?P<name>\S+)>:")
# Everything that AVX and its followers encode has a name with v, or works on a mask or a wide register.
VECTOR = re.compile(r"\s+[0-9a-f]+:\t(?:v(?!err|erw)\w+|.*%(?:[yz]mm|k[0-7])).*")
KERNEL = re.compile(r"_Z+N(?:8(?P<avx2>isa_avx2)|10(?P<avx512>isa_avx512))12_GLOBAL__N_1")


class Function(NamedTuple):
    """A function that contains vector code; a local one is seen by its own object alone."""

    name: str
    local: bool


def vector_functions(objects: Path) -> Iterator[Function]:
    done = subprocess.run(
        ["objdump", "-t", "-d", "-w", "--no-show-raw-insn", objects], capture_output=True, text=True, check=True
    )
    flags: dict[str, str] = {}
    function = ""
    for line in done.stdout.splitlines():
        if line.startswith("SYMBOL TABLE"):  # of the archive's next object
            flags, function = {}, ""
        elif found := SYMBOL.fullmatch(line):
            flags[found["name"]] = found["flags"]
        elif found := FUNCTION.fullmatch(line):
            function = found["name"]
        elif VECTOR.fullmatch(line):
            yield Function(function, flags[function][0] == "l")


def leaks(functions: set[Function]) -> list[str]:
    return sorted(f.name for f in functions if not (f.local and KERNEL.match(f.name)))


def test_vector_code_is_in_local_functions_of_its_kernels(engine_archive):
    functions = set(vector_functions(engine_archive))
    assert leaks(functions) == []
    kernels = [found for f in functions if (found := KERNEL.match(f.name))]
    assert {found.lastgroup for found in kernels} == {"avx2", "avx512"}  # else this test reads nothing


@pytest.mark.skipif(not shutil.which("c++"), reason="no C++ compiler called c++")
@pytest.mark.parametrize(
    ("source", "leak"),
    [
        ("template <class T> void twice(T* x) { for (int i = 0; i < 8; ++i) x[i] *= 2; }", "_Z5twiceIfEvPT_"),
        ("static void twice(float* x) { for (int i = 0; i < 8; ++i) x[i] *= 2; }", "_ZL5twicePf"),
        (
            "namespace isa_avx2 { inline void twice(float* x) { *x *= 2; } } using isa_avx2::twice;",
            "_ZN8isa_avx25twiceEPf",
        ),
        ("namespace isa_avx2 { namespace { void twice(float* x) { *x *= 2; } } } using isa_avx2::twice;", None),
    ],
    ids=["shared", "elsewhere", "kernel, shared", "kernel"],
)
def test_a_leak_is_found(tmp_path, source, leak):
    # The pointer keeps the function, and nothing else does.
    (tmp_path / "leak.cpp").write_text(source + "\nextern void (*const pointer)(float*) = twice;\n")
    built = tmp_path / "leak.o"
    subprocess.run(["c++", "-O3", "-mavx2", "-std=c++20", "-c", tmp_path / "leak.cpp", "-o", built], check=True)
    functions = set(vector_functions(built))
    assert functions
    assert leaks(functions) == ([leak] if leak else [])
