"""The average of the weights."""

import torch

from penstock.training.averaging import Average


def test_is_the_mean_of_the_recent_steps():
    module = torch.nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        module.weight.fill_(0.0)
        average, expected = Average(module, 0.5), 0.0
        for step in range(1, 30):
            module.weight.fill_(float(step))
            average.update()
            decay = min(0.5, (1 + step) / (10 + step))
            expected = decay * expected + (1 - decay) * step
    with average.applied():
        assert abs(float(module.weight.detach()) - expected) < 1e-4  # float32 after 29 steps
    assert float(module.weight.detach()) == 29.0


def test_without_decay_it_is_the_weights():
    module = torch.nn.Linear(1, 1)
    average = Average(module, 0.0)
    average.update()
    own = module.weight.detach().clone()
    with average.applied():
        assert torch.equal(module.weight.detach(), own)
