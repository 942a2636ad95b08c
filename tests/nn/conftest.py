"""Every variant of every cell, as a Penstock layer and as a single cell."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from penstock import nn
from penstock.cells import VARIANTS

LAYERS: dict[str, Callable[..., Any]] = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
CELLS: dict[str, Callable[..., Any]] = {"rnn": nn.RNNCell, "lstm": nn.LSTMCell, "gru": nn.GRUCell}


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """PyTorch's own threads spin between its operators; on tiny tensors that is most of the time."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def _name(variant: tuple[str, dict[str, Any]]) -> str:
    cell, options = variant
    return "-".join([cell, *(f"{name}={value}" for name, value in options.items())])


@pytest.fixture(params=VARIANTS, ids=_name)
def variant(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Builds a layer of one variant: variant(input_size, hidden_size, **arguments)."""
    cell, options = request.param

    def make(input_size: int, hidden_size: int, **arguments: Any) -> Any:
        torch.manual_seed(0)
        own = {name: max(1, hidden_size // 2) if value is None else value for name, value in options.items()}
        return LAYERS[cell](input_size, hidden_size, **own, **arguments)

    return make


@pytest.fixture(params=[each for each in VARIANTS if "proj_size" not in each[1]], ids=_name)
def cell_variant(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Builds a single cell of one variant; projection is a matter of layers."""
    cell, options = request.param

    def make(input_size: int, hidden_size: int, **arguments: Any) -> Any:
        torch.manual_seed(0)
        return CELLS[cell](input_size, hidden_size, **options, **arguments)

    return make
