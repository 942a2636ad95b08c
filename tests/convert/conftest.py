"""Keras on PyTorch's backend, for the tests of import."""

import importlib
import importlib.util
import os
import warnings

import pytest

from penstock.convert.exporting.onnx_file import RUNTIMES


@pytest.fixture(scope="session")
def keras(tmp_path_factory):
    """Keras with PyTorch underneath, which leaves no settings behind."""
    if not all(importlib.util.find_spec(name) for name in ("keras", "h5py", "torch")):
        pytest.skip("Keras, h5py or PyTorch is not installed: pip install 'penstock[dev]'")
    os.environ.setdefault("KERAS_BACKEND", "torch")
    os.environ.setdefault("KERAS_HOME", str(tmp_path_factory.mktemp("keras")))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of NumPy's future while it is imported
        return importlib.import_module("keras")


@pytest.fixture
def onnx_runtime_alone(monkeypatch):
    """Verification by ONNX Runtime: OpenVINO takes seconds to compile a file."""
    monkeypatch.delitem(RUNTIMES, "OpenVINO")
