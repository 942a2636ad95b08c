"""What a release is made of agrees: versions, supported Pythons, workflows."""

import re
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
