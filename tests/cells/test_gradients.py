"""The equations under automatic differentiation, function transforms and compilation."""

import pytest
import torch

from penstock.cells import sweep


def _tensors(parameters, *, requires_grad=True):
    return {name: torch.tensor(value, requires_grad=requires_grad) for name, value in parameters.items()}


@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
def test_gradients_match_finite_differences(variant, random_parameters, random_sequences, reverse):
    cell, options = variant(3)
    parameters = _tensors(random_parameters(cell, 2, 3, seed=1, **options))
    x, state = random_sequences(cell, 3, 3, 2, 3, seed=1, **options)
    lengths = torch.tensor([3, 0, 2])

    def run(x, *rest):
        states, values = rest[: len(state)], rest[len(state) :]
        y, final = sweep(cell, x, states, dict(zip(parameters, values, strict=True)), lengths, reverse, **options)
        return (y, *final)

    leaves = [torch.tensor(v, requires_grad=True) for v in (x, *state)]
    assert torch.autograd.gradcheck(run, (*leaves, *parameters.values()), fast_mode=True)


def test_second_gradients_match_finite_differences(variant, random_parameters, random_sequences):
    cell, options = variant(2)
    parameters = _tensors(random_parameters(cell, 2, 2, seed=2, **options))
    x, state = random_sequences(cell, 1, 2, 2, 2, seed=2, **options)
    leaves = [torch.tensor(v, requires_grad=True) for v in (x[0], *state)]

    def run(x, *rest):
        states, values = rest[: len(state)], rest[len(state) :]
        return cell.step(x, states, dict(zip(parameters, values, strict=True)), **options)

    assert torch.autograd.gradgradcheck(run, (*leaves, *parameters.values()), fast_mode=True)


def test_padding_is_not_looked_at_even_by_gradients(variant, random_parameters, random_sequences):
    cell, options = variant(4)
    parameters = _tensors(random_parameters(cell, 3, 4, **options))
    x, state = random_sequences(cell, 5, 3, 3, 4, **options)
    lengths = torch.tensor([2, 5, 0])
    results = []
    for padding in (0.0, float("nan")):
        padded = torch.tensor(x)
        padded[2:, 0] = padding
        padded[:, 2] = padding
        padded.requires_grad_()
        y, final = sweep(cell, padded, tuple(map(torch.tensor, state)), parameters, lengths, **options)
        loss = y.square().sum() + sum(s.square().sum() for s in final)
        results.append((y, *final, *torch.autograd.grad(loss, (padded, *parameters.values()))))
    for clean, dirty in zip(*results, strict=True):
        torch.testing.assert_close(dirty, clean, rtol=0, atol=0)


def test_vmap_and_jacrev_equal_loops(variant, random_parameters, random_sequences):
    cell, options = variant(2)
    parameters = _tensors(random_parameters(cell, 2, 2, **options), requires_grad=False)
    x, state = random_sequences(cell, 3, 2, 2, 2, **options)
    state = tuple(map(torch.tensor, state))
    xs = torch.stack([torch.tensor(x), 2 * torch.tensor(x)])
    lengths = torch.tensor([[3, 1], [0, 2]])

    def run(x, lengths):
        return sweep(cell, x, state, parameters, lengths, reverse=True, **options)[0]

    alone = torch.stack([run(xs[0], lengths[0]), run(xs[1], lengths[1])])
    # A batched product may add in another order.
    torch.testing.assert_close(torch.func.vmap(run)(xs, lengths), alone, rtol=1e-13, atol=1e-13)
    jacobian = torch.func.jacrev(run)(xs[0], lengths[0])
    by_loop = torch.autograd.functional.jacobian(lambda x: run(x, lengths[0]), xs[0])
    torch.testing.assert_close(jacobian, by_loop, rtol=1e-13, atol=1e-13)


@pytest.mark.slow
def test_one_graph_under_torch_compile(variant, random_parameters, random_sequences):
    cell, options = variant(4)
    parameters = _tensors(random_parameters(cell, 3, 4, **options))
    x, state = random_sequences(cell, 2, 2, 3, 4, **options)
    x, state = torch.tensor(x, requires_grad=True), tuple(map(torch.tensor, state))

    def run(x, lengths):
        y, final = sweep(cell, x, state, parameters, lengths, **options)
        return (y, *final)

    torch.compiler.reset()
    compiled = torch.compile(run, fullgraph=True, backend="eager")  # tracing is ours, code generation PyTorch's
    leaves = (x, *parameters.values())
    lengths = torch.tensor([2, 1])
    expected, got = run(x, lengths), compiled(x, lengths)
    for mine, wanted in zip(got, expected, strict=True):
        torch.testing.assert_close(mine, wanted, rtol=1e-13, atol=1e-13)
    gradients = [torch.autograd.grad(sum(v.sum() for v in values), leaves) for values in (got, expected)]
    for mine, wanted in zip(*gradients, strict=True):
        torch.testing.assert_close(mine, wanted, rtol=1e-12, atol=1e-12)
