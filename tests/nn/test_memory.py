"""Memory that training steps keep is lent to one tensor at a time."""

import torch

from penstock import nn
from penstock.nn import operator
from penstock.nn.memory import ReusableMemory


def test_memory_is_lent_again_when_the_tensor_is_gone():
    memory = ReusableMemory()
    first = memory.lend(100)
    address, other = first.data_ptr(), memory.lend(100)
    assert (first.shape, first.dtype) == ((100,), torch.float32)
    assert other.data_ptr() != address
    part = first[10:]
    del first
    assert memory.lend(100).data_ptr() != address, "a view still has it"
    del part
    assert memory.lend(60).data_ptr() == address


def test_memory_of_another_size_is_not_kept():
    memory = ReusableMemory()
    small = memory.lend(100).data_ptr()
    larger = memory.lend(400)
    assert larger.data_ptr() != small
    del larger
    assert memory.lend(100).shape == (100,)
    memory.free()
    assert memory._free == []


def saved_address(y: torch.Tensor) -> int:
    return y.grad_fn.saved_tensors[1].data_ptr()


def test_large_training_steps_take_turns_in_one_memory_and_graphs_that_live_together_do_not():
    torch.manual_seed(0)
    layer, x, other = nn.LSTM(8, 64), torch.randn(100, 10, 8), torch.randn(100, 10, 8)

    def gradient(y: torch.Tensor, **options) -> torch.Tensor:
        return torch.autograd.grad(y.sum(), layer.weight_ih_l0, **options)[0]

    alone = layer(x)[0]
    expected, address = gradient(alone, retain_graph=True), saved_address(alone)
    both = layer(other)[0]
    assert saved_address(both) != address
    torch.testing.assert_close(gradient(alone), expected, rtol=0, atol=0)
    del alone, both
    again = layer(x)[0]
    memory = saved_address(again)
    torch.testing.assert_close(gradient(again), expected, rtol=0, atol=0)
    del again
    assert saved_address(layer(x)[0]) == memory
    layer.eval()
    assert layer._bound[0].memory._free == []


def test_compiled_layers_keep_one_memory_together_and_give_it_back():
    x = torch.randn(100, 270, 8)
    for _ in range(2):
        layer = nn.LSTM(8, 64)
        y = torch.compile(layer, backend="eager")(x)[0]
        y.sum().backward()
        del y
    bounds = [operator._bound(each.spec, layer.weight_ih_l0.data_ptr()) for each in layer._bound]
    assert [each.memory for each in bounds] == [operator.memory]
    assert len(operator.memory._free) == 1
    layer.eval()
    assert operator.memory._free == []
