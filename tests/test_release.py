"""What a release is made of agrees: versions, supported Pythons, workflows."""

import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

import pytest
import yaml

import penstock

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]


def read(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def test_the_version_is_the_same_everywhere():
    assert read(ROOT / "CITATION.cff")["version"] == penstock.__version__
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## \[(.+?)\](?:: (\S+))?", changelog, re.M)
    assert penstock.__version__ in headings[0]


def test_the_citation_has_what_readers_of_it_need():
    cited = read(ROOT / "CITATION.cff")
    assert {"cff-version", "message", "title", "authors", "license"} <= cited.keys()
    assert cited["license"] == PROJECT["project"]["license"]


def test_the_stated_pythons_are_those_that_are_tried():
    stated = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["project"]["classifiers"]))
    assert stated == PYTHONS
    assert (
        read(ROOT / ".github" / "workflows" / "check.yml")["jobs"]["check"]["strategy"]["matrix"]["python"] == PYTHONS
    )
    assert PROJECT["project"]["requires-python"] == f">={PYTHONS[0]}"
    assert PROJECT["tool"]["scikit-build"]["wheel"]["py-api"] == "cp312"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_pin_actions_and_ask_for_little(path):
    workflow = read(path)
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        assert job["steps"]
        for step in job["steps"]:
            assert ("uses" in step) != ("run" in step)
            assert re.fullmatch(r"[\w-]+/[\w-]+@v\d+\.\d+\.\d+", step.get("uses", "a/b@v1.0.0"))


def test_workflows_run_what_developers_run():
    steps = [step.get("run", "") for path in WORKFLOWS for job in read(path)["jobs"].values() for step in job["steps"]]
    assert {"bash .ci/run", "make docs"} <= set(steps)


# The source distribution: what the build needs, what its readers do, and what the archive says of itself.
FOLDERS = ["src", "cpp", "bindings", "examples"]
FILES = [
    "CMakeLists.txt",
    "pyproject.toml",
    "LICENSE",
    "README.md",
    "README.zh-CN.md",
    "CHANGELOG.md",
    "CITATION.cff",
    "SECURITY.md",
]
LEFTOVERS = [
    ".venv/lib/site-packages/numpy/src/a.cpp",
    ".venv/lib/site-packages/numpy/README.md",
    "build/src/a.o",
    "tests/released/0.1.0/text-lstm/model/README.md",
    "src/penstock/__pycache__/errors.cpython-311.pyc",
    "src/penstock/engine/_native.abi3.so",
    "notes.txt",
]


def test_the_source_distribution_holds_what_the_build_needs_and_nothing_that_lies_around(tmp_path):
    project = tmp_path / "project"
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, project / folder, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
    for file in [*FILES, ".gitignore"]:
        shutil.copy(ROOT / file, project)
    wanted = {str(path.relative_to(project)) for path in project.rglob("*") if path.is_file()}
    for leftover in LEFTOVERS:
        (project / leftover).parent.mkdir(parents=True, exist_ok=True)
        (project / leftover).touch()

    build = f"from scikit_build_core.build import build_sdist; build_sdist({str(tmp_path)!r})"
    subprocess.run([sys.executable, "-c", build], cwd=project, check=True, stdout=subprocess.DEVNULL)
    with tarfile.open(tmp_path / f"penstock-{penstock.__version__}.tar.gz") as archive:
        found = {name.partition("/")[2] for name in archive.getnames()}
    assert found == wanted - {".gitignore"} | {"PKG-INFO"}
