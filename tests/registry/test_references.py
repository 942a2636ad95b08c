"""References: strings that stand for classes and functions until they are needed."""

import subprocess
import sys

import pytest

from penstock.errors import ConfigError
from penstock.registry import deferred, resolve


def test_a_reference_is_what_it_names_and_anything_else_is_itself():
    assert resolve("collections.abc:Mapping").__name__ == "Mapping"
    assert resolve(dict) is dict
    assert resolve(None) is None


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("json", "must be 'module:Name'; got 'json'"),
        (":dumps", "must be 'module:Name'; got ':dumps'"),
        ("json:", "must be 'module:Name'; got 'json:'"),
        ("json:dump_all", "'json:dump_all': the module json has no dump_all"),
        ("nowhere.at.all:Name", r"there is no module nowhere\. Is its package installed\?"),
        ("json.nowhere:Name", r"there is no module json\.nowhere"),
    ],
)
def test_a_reference_to_nothing_says_what_lacks(reference, message):
    with pytest.raises(ConfigError, match=message):
        resolve(reference)


def test_a_package_that_a_module_needs_is_said_as_python_says_it(tmp_path, monkeypatch):
    (tmp_path / "needy_module.py").write_text("import package_that_nobody_has\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="package_that_nobody_has"):
        resolve("needy_module:Name")


def test_a_deferred_function_is_imported_at_its_first_call():
    code = (
        "import sys; from penstock.registry import deferred; f = deferred('fractions:Fraction', denominator=2);"
        "before = 'fractions' in sys.modules; print(before, f(3))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False 3/2\n"
    assert deferred("builtins:sorted", reverse=True)([1, 3, 2]) == [3, 2, 1]


def test_the_table_of_tasks_imports_nothing_of_theirs():
    code = (
        "import sys, penstock.registry; print([m for m in sys.modules if m.startswith(('numpy', 'torch', 'sklearn'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
