"""PyTorch layers that run on the engine: drop-in replacements for torch.nn's, with lengths and init schemes."""

from penstock.nn.any_cell import AnyCell
from penstock.nn.gru import GRU, GRUCell
from penstock.nn.heads import ClassHeadModule, RegressionHeadModule, StepClassHeadModule
from penstock.nn.initial import INITIAL_VALUES
from penstock.nn.lstm import LSTM, LSTMCell
from penstock.nn.network import NetworkModule, build
from penstock.nn.replace import replace, to_torch
from penstock.nn.rnn import RNN, RNNCell

__all__ = [
    "GRU",
    "INITIAL_VALUES",
    "LSTM",
    "RNN",
    "AnyCell",
    "ClassHeadModule",
    "GRUCell",
    "LSTMCell",
    "NetworkModule",
    "RNNCell",
    "RegressionHeadModule",
    "StepClassHeadModule",
    "build",
    "replace",
    "to_torch",
]
