"""The package as a whole: what `import penstock` costs, gives, and keeps out."""

import subprocess
import sys

import numpy as np
import pytest

import penstock
from penstock.errors import ConfigError

# Everything that runs a trained model must do so without PyTorch; the rest of the package may use it.
WITHOUT_TORCH = (
    "penstock",
    "penstock.audio.model",
    "penstock.bundle",
    "penstock.cells",
    "penstock.cli",
    "penstock.datasets",
    "penstock.engine",
    "penstock.errors",
    "penstock.forecast.model",
    "penstock.functional",
    "penstock.heads",
    "penstock.inspection",
    "penstock.lab",
    "penstock.network",
    "penstock.registry",
    "penstock.report",
    "penstock.runtime",
    "penstock.sequences",
    "penstock.signals.model",
    "penstock.text.model",
)


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_everything_below_the_wall_works_without_torch():
    code = f"import importlib, sys\nfor name in {WITHOUT_TORCH}: importlib.import_module(name)\n"
    assert run(code + "print('torch' in sys.modules, 'sklearn' in sys.modules, 'pyarrow' in sys.modules)") == (
        "False False False\n"
    )


def test_import_costs_little_more_than_numpy():
    code = "import numpy, time; t = time.process_time(); import penstock; print(time.process_time() - t)"
    assert min(float(run(code)) for _ in range(3)) < 0.15


@pytest.mark.slow
def test_layers_do_not_import_the_compiler_of_pytorch():
    code = "import sys, penstock.nn; print('torch._dynamo' in sys.modules)"
    assert run(code).strip() == "False"


def test_names_are_complete_and_lazy():
    assert sorted(penstock.__all__) == penstock.__all__
    assert all(getattr(penstock, name) is not None for name in penstock.__all__)
    assert "TextClassifier" in dir(penstock)
    with pytest.raises(AttributeError, match="no attribute 'TextClasifier'"):
        _ = penstock.TextClasifier


def test_threads_are_set_in_both_libraries():
    import torch

    from penstock import engine

    before = engine.get_num_threads(), torch.get_num_threads()
    try:
        penstock.set_num_threads(3)
        assert (engine.get_num_threads(), torch.get_num_threads()) == (3, 3)
        for wrong in (-1, 0, 2**31, 1.5, "2", True, None):
            with pytest.raises(ConfigError, match="must be a whole number from 1 to"):
                penstock.set_num_threads(wrong)
        assert (engine.get_num_threads(), torch.get_num_threads()) == (3, 3)
        penstock.set_num_threads(np.int64(2))
        assert (engine.get_num_threads(), torch.get_num_threads()) == (2, 2)
    finally:
        engine.set_num_threads(before[0])
        torch.set_num_threads(before[1])
