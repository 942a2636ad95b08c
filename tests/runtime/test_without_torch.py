"""A saved model loads, answers and streams in a process where PyTorch can't be imported."""

import subprocess
import sys

import numpy as np
from safetensors.numpy import save_file

import penstock.bundle

_WALL = """
import sys
class Wall:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "sklearn", "pyarrow", "matplotlib"):
            raise AssertionError("the runtime asked for " + name)
sys.meta_path.insert(0, Wall())
"""


def run(code, *arguments):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", _WALL + code, *map(str, arguments)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_saved_model_needs_no_torch(text_parts, tmp_path):
    network, features, labels, tensors = text_parts()
    baseline = {"class_counts": np.array([1, 2, 3])}
    penstock.bundle.save(tmp_path / "model", network, features.to_json(), labels, tensors, baseline=baseline)
    code = """
import penstock
model = penstock.load(sys.argv[1])
stream = model.stream()
stream.push("the ferry")
twin = model.stream().load(stream.fork().save())
assert twin.push("sailed") == stream.push("sailed")
assert list(stream.finish().values()) == model.predict_proba(["the ferry\\nsailed"])[0].tolist()
model.evaluate(["the ferry"], model.predict(["the ferry"]))
print(sorted(name for name in sys.modules if name in ("torch", "pandas", "polars", "scipy")))
"""
    assert run(code, tmp_path / "model") == "[]\n"


def test_a_state_dict_needs_no_torch(tmp_path):
    weights = {"weight_ih_l0": np.ones((6, 3), np.float32), "weight_hh_l0": np.ones((6, 2), np.float32)}
    save_file(weights, tmp_path / "w.safetensors")
    code = """
from penstock.runtime import Recurrence
network = Recurrence.from_safetensors(sys.argv[1], cell="gru")
print(network([[1.0, 2.0, 3.0]])[0].tolist() == network.stream().push_many([[1.0, 2.0, 3.0]]).tolist())
"""
    assert run(code, tmp_path / "w.safetensors") == "True\n"
