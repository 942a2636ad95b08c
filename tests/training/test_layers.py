"""Layers that train at different rates, and from different epochs on."""

import copy

import numpy as np
import pytest
import torch

from penstock.network import ClassHead, Embedding, Network, Recurrent
from penstock.nn import NetworkModule
from penstock.training import Checkpoint, Recipe, Trainer
from penstock.training.layers import depths
from penstock.training.optimizer import optimizer_of

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def module():
    """Two layers in both directions, so that every kind of name occurs, and a part beside the network's."""
    encoder = Recurrent(cell="gru", input_size=3, hidden_size=2, num_layers=2, bidirectional=True)
    torch.manual_seed(0)
    made = NetworkModule(Network(Embedding(9, 3), encoder, ClassHead(2, "max")))
    made.next_token = torch.nn.Linear(4, 3)
    return made


def test_depths_count_from_the_output(module):
    names = {parameter: name for name, parameter in module.named_parameters()}
    found: dict[int, set[str]] = {}
    for depth, parameter in depths(module):
        name = names[parameter]
        found.setdefault(depth, set()).add(name if not name.startswith("encoder") else name.split("_l")[1])
    assert found == {
        0: {"head.weight", "head.bias", "next_token.weight", "next_token.bias"},
        1: {"1", "1_reverse"},
        2: {"0", "0_reverse"},
        3: {"inputs.weight"},
    }


def test_each_layer_has_its_learning_rate(module, make_recipe):
    optimizer = optimizer_of(module, make_recipe(layer_decay=0.5, weight_decay=0.1))
    rates = {parameter: group["factor"] for group in optimizer.param_groups for parameter in group["params"]}
    assert all(rates[parameter] == 0.5**depth for depth, parameter in depths(module))
    decays = {each: group["weight_decay"] for group in optimizer.param_groups for each in group["params"]}
    assert all(decays[parameter] == (0.1 if parameter.dim() > 1 else 0) for _, parameter in depths(module))
    assert len(optimizer_of(module, make_recipe()).param_groups) == 2


def trained(module, objective, recipe, checkpoint=None, callbacks=()):
    torch.manual_seed(0)
    return Trainer(
        module, objective, recipe, generator=np.random.default_rng(0), checkpoint=checkpoint, callbacks=callbacks
    )


class Watch:
    """Which depths had changed after each epoch; ends the training after so many steps."""

    def __init__(self, module, steps=10**6):
        self.module, self.left, self.changed = module, steps, []
        self.before = copy.deepcopy(module.state_dict())

    def on_start(self, epochs):
        pass

    def on_step(self, epoch, step, steps, rows, loss):
        self.left -= 1
        if not self.left:
            raise RuntimeError("cut")

    def on_epoch(self, epoch):
        names = {parameter: name for name, parameter in self.module.named_parameters()}
        self.changed.append(
            {depth for depth, each in depths(self.module) if not torch.equal(each, self.before[names[each]])}
        )

    def on_end(self, history):
        pass


GRADUAL = {"layer_decay": 0.5, "unfreeze": 1, "weight_decay": 0.1}


def test_a_layer_keeps_its_weights_until_it_is_unfrozen(make_module, make_objective, make_recipe):
    module = make_module()
    watch = Watch(module)
    trained(module, make_objective(), make_recipe(**GRADUAL), callbacks=[watch]).fit()
    assert watch.changed == [{0}, {0, 1}, {0, 1, 2}, {0, 1, 2}]


@pytest.mark.parametrize("cut", [2, 7, 12])
def test_resumes_to_the_same_bits(tmp_path, make_module, make_objective, make_recipe, cut):
    recipe = make_recipe(**GRADUAL)
    whole = trained(make_module(), make_objective(), recipe)
    whole.fit()
    module = make_module()
    checkpoint = Checkpoint(tmp_path / "state", "key", every_steps=1)
    with pytest.raises(RuntimeError, match="cut"):
        trained(module, make_objective(), recipe, checkpoint, [Watch(module, cut)]).fit()
    again = trained(make_module(seed=1), make_objective(), recipe, checkpoint)
    again.fit()
    for name, tensor in whole.module.state_dict().items():
        assert torch.equal(tensor, again.module.state_dict()[name]), name


def test_equals_a_plain_loop(make_module, make_objective, make_recipe):
    """The first step of a frozen training is that of the head alone, at the peak rate."""
    recipe: Recipe = make_recipe(epochs=1, warmup=0.0, **GRADUAL)
    module, slow = make_module(), make_module()
    objective = make_objective(batch_size=64)
    trained(module, objective, recipe).fit()
    optimizer = torch.optim.AdamW(
        [{"params": [slow.head.weight], "weight_decay": 0.1}, {"params": [slow.head.bias], "weight_decay": 0.0}],
        lr=recipe.learning_rate,
    )
    (batch,) = make_objective(batch_size=64).batches(np.random.default_rng(0))
    loss, _ = make_objective(batch_size=64).loss(slow, batch)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(slow.head.parameters(), recipe.clip)
    optimizer.step()
    for name, tensor in slow.state_dict().items():
        torch.testing.assert_close(module.state_dict()[name], tensor, rtol=0, atol=1e-6)
