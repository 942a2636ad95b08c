"""Run the recurrent layer of a PyTorch model step by step from its saved weights, without PyTorch."""

import tempfile
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from penstock.runtime import Recurrence


def main() -> None:
    """Save a PyTorch model, then stream a signal through its layer with Penstock."""
    torch.manual_seed(0)
    model = torch.nn.ModuleDict({"encoder": torch.nn.GRU(3, 16, num_layers=2), "head": torch.nn.Linear(16, 1)})
    signal = torch.randn(50, 3)
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "weights.safetensors"
        save_file(model.state_dict(), weights)
        rnn = Recurrence.from_safetensors(weights, cell="gru", prefix="encoder.")

    stream = rnn.stream()
    outputs = [stream.push(x).copy() for x in signal.numpy()]

    with torch.no_grad():
        expected = model["encoder"](signal)[0].numpy()
    difference = np.abs(np.array(outputs).reshape(expected.shape) - expected).max()
    print(f"50 steps, largest difference from PyTorch: {difference:.1e}")
    assert difference < 1e-5


if __name__ == "__main__":
    main()
