"""The likelihood of chains: the forward algorithm ≡ all paths one by one, and its gradient."""

from itertools import pairwise, product

import pytest
import torch

from penstock.nn.chain import log_partition, path_scores

LENGTHS = torch.tensor([3, 1, 0, 4, 2])


def parameters(labels=3, steps=4):
    torch.manual_seed(0)
    shapes = (len(LENGTHS), steps, labels), (labels, labels), (labels,), (labels,)
    return [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in shapes]


def score(row, path, scores, transitions, start, end):
    total = start[path[0]] + end[path[-1]] + sum(scores[row, step, label] for step, label in enumerate(path))
    return total + sum(transitions[pair] for pair in pairwise(path))


@pytest.mark.parametrize("labels", [2, 3])
def test_it_is_the_sum_over_all_paths(labels):
    given = parameters(labels)
    found = log_partition(given[0], LENGTHS, *given[1:])
    for row, length in enumerate(LENGTHS.tolist()):
        several = [score(row, path, *given) for path in product(range(labels), repeat=length)] if length else []
        expected = torch.stack(several).logsumexp(0) if several else torch.tensor(0.0, dtype=torch.float64)
        torch.testing.assert_close(found[row], expected)


def test_the_score_of_a_path():
    given, tags = parameters(), torch.tensor([[0, 2, 1, 0], [2, 0, 0, 0], [0, 0, 0, 0], [1, 1, 2, 0], [0, 1, 2, 2]])
    found = path_scores(given[0], tags, LENGTHS, *given[1:])
    for row, length in enumerate(LENGTHS.tolist()):
        path = tags[row, :length].tolist()
        expected = score(row, path, *given) if length else torch.tensor(0.0, dtype=torch.float64)
        torch.testing.assert_close(found[row], expected)


def test_gradients():
    scores, *chain = parameters()
    tags = torch.randint(3, scores.shape[:2])

    def errors(scores, transitions, start, end):
        found = log_partition(scores, LENGTHS, transitions, start, end)
        return found - path_scores(scores, tags, LENGTHS, transitions, start, end)

    assert torch.autograd.gradcheck(errors, (scores, *chain))


def test_what_is_forbidden_has_no_share_and_no_gradient():
    scores, transitions, start, end = (each.detach().float() for each in parameters())
    transitions[0, 1] = -10_000
    transitions.requires_grad_()
    found = log_partition(scores, LENGTHS, transitions, start, end)
    found.sum().backward()
    assert transitions.grad[0, 1] == 0
    allowed = [path for path in product(range(3), repeat=4) if (0, 1) not in pairwise(path)]
    expected = torch.stack([score(3, path, scores, transitions, start, end) for path in allowed]).logsumexp(0)
    torch.testing.assert_close(found[3], expected)


@pytest.mark.parametrize("size", [1.0, 200.0], ids=["as products", "one by one"])
def test_scores_far_apart_lose_nothing(size):
    torch.manual_seed(1)
    scores, lengths = size * torch.randn(6, 9, 4), torch.tensor([9, 9, 5, 1, 7, 9])
    chain = [size / 2 * torch.randn(shape) for shape in ((4, 4), (4,), (4,))]
    given = [each.double().requires_grad_() for each in (scores, *chain)]
    alpha = given[2] + given[0][:, 0]
    for time in range(1, 9):  # the same in double precision, differentiated by PyTorch
        after = (alpha[:, :, None] + given[1]).logsumexp(1) + given[0][:, time]
        alpha = torch.where((lengths > time)[:, None], after, alpha)
    expected = (alpha + given[3]).logsumexp(1)
    own = [each.requires_grad_() for each in (scores, *chain)]
    found = log_partition(own[0], lengths, *own[1:])
    torch.testing.assert_close(found, expected.float(), rtol=1e-5, atol=1e-4)
    wanted = torch.autograd.grad(expected.sum(), given)
    for gradient, each in zip(torch.autograd.grad(found.sum(), own), wanted, strict=True):
        torch.testing.assert_close(gradient, each.float(), rtol=1e-3, atol=1e-3)
