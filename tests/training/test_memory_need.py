"""The memory of a training step, before the first one."""

import re

import pytest
import torch

from penstock.errors import ConfigError
from penstock.network import ClassHead, Embedding, Network, Recurrent
from penstock.nn import NetworkModule
from penstock.training import check_memory, memory_need

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def wide():
    return NetworkModule(
        Network(Embedding(9, 6), Recurrent(cell="lstm", input_size=6, hidden_size=64), ClassHead(2, "max"))
    )


def kept_by_a_step(module, objective, batch):
    """The plain count, over the whole batch."""
    own, kept = {each.untyped_storage().data_ptr() for each in module.parameters()}, {}

    def note(tensor):
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        loss, _ = objective.loss(module, batch)
    loss.backward()
    return sum(size for place, size in kept.items() if place not in own)


def test_a_few_rows_tell_what_a_batch_keeps(wide, make_objective):
    objective = make_objective(batch_size=40)
    (batch,) = objective.batches(None)
    state = torch.get_rng_state(), objective.state_dict()["generator"].clone()
    found = memory_need.step_bytes(wide, objective)
    assert torch.equal(state[0], torch.get_rng_state())
    assert torch.equal(state[1], objective.state_dict()["generator"])
    assert found == pytest.approx(kept_by_a_step(wide, objective, batch), rel=0.3)  # two of 40 rows are tried


def test_what_does_not_fit_is_refused_with_a_size_that_does(wide, make_objective, make_recipe, monkeypatch):
    objective, recipe = make_objective(batch_size=32), make_recipe(batch_size=32)
    rows = memory_need.step_bytes(wide, objective)
    fixed = 12 * sum(each.numel() for each in wide.parameters())

    def available(size):
        monkeypatch.setattr(memory_need, "available_bytes", lambda: size)

    available(rows + fixed + 1)
    check_memory(wide, objective, recipe)
    available(rows / 2 + fixed)
    with pytest.raises(
        ConfigError, match=r"training needs about .* GB of memory.*Try batch_size=\d+ \(now 32\)"
    ) as error:
        check_memory(wide, objective, recipe)
    size = int(re.search(r"batch_size=(\d+)", str(error.value))[1])
    check_memory(wide, make_objective(batch_size=size), make_recipe(batch_size=size))
    available(fixed)
    with pytest.raises(ConfigError, match="Not even a batch of one sequence fits"):
        check_memory(wide, objective, recipe)


def test_the_system_tells_what_is_available():
    assert 1e6 < memory_need.available_bytes() < 1e15
