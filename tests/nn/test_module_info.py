"""PyTorch's own samples for these modules (`torch.testing._internal.common_modules`), run against Penstock's."""

from typing import Any

import pytest
import torch
from torch.testing._internal.common_modules import ModuleErrorEnum, module_db

from penstock import nn

NAMES = ("RNN", "LSTM", "GRU", "RNNCell", "LSTMCell", "GRUCell")
INFOS = [info for info in module_db if info.module_cls in [getattr(torch.nn, name) for name in NAMES]]


def ours(info: Any) -> Any:
    return getattr(nn, info.module_cls.__name__)


def samples(info: Any, dtype: torch.dtype, training: bool) -> Any:
    torch.manual_seed(0)
    return info.module_inputs_func(info, device="cpu", dtype=dtype, requires_grad=True, training=training)


def flat(result: Any) -> list[torch.Tensor]:
    if isinstance(result, torch.Tensor):
        return [result]
    if isinstance(result, torch.nn.utils.rnn.PackedSequence):
        return [result.data]
    return [tensor for each in result for tensor in flat(each)]


def test_every_module_is_in_the_database():
    assert sorted(info.module_cls.__name__ for info in INFOS) == sorted(NAMES)


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("info", INFOS, ids=lambda info: info.module_cls.__name__)
@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
@pytest.mark.slow
def test_samples(info, dtype, training):
    """Same parameters for a seed, same answers as PyTorch and as the sample's own reference function."""
    checked = 0
    for sample in samples(info, dtype, training):
        arguments, keywords = sample.constructor_input.args, sample.constructor_input.kwargs
        modules = []
        for make in (ours(info), info.module_cls):
            torch.manual_seed(1)
            modules.append(make(*arguments, **keywords, dtype=dtype).train(training))
        given, more = sample.forward_input.args, sample.forward_input.kwargs
        outputs = [flat(module(*given, **more)) for module in modules]
        torch.testing.assert_close(outputs[0], outputs[1])
        gradients = [
            torch.autograd.grad(sum(each.square().sum() for each in out), list(module.parameters()))
            for out, module in zip(outputs, modules, strict=True)
        ]
        torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-4, atol=1e-5)
        if sample.reference_fn is not None:
            expected = sample.reference_fn(modules[0], *given, **more)
            torch.testing.assert_close(outputs[0], flat(expected))
        checked += 1
    assert checked >= 2


@pytest.mark.parametrize("info", INFOS, ids=lambda info: info.module_cls.__name__)
def test_error_samples(info):
    """The errors that PyTorch promises, with its types and words."""
    checked = 0
    for error in info.module_error_inputs_func(
        info, device="cpu", dtype=torch.float32, requires_grad=False, training=True
    ):
        sample = error.module_error_input
        arguments, keywords = sample.constructor_input.args, sample.constructor_input.kwargs
        if error.error_on is ModuleErrorEnum.CONSTRUCTION_ERROR:
            with pytest.raises(error.error_type, match=error.error_regex):
                ours(info)(*arguments, **keywords)
        else:
            module = ours(info)(*arguments, **keywords)
            with pytest.raises(error.error_type, match=error.error_regex):
                module(*sample.forward_input.args, **sample.forward_input.kwargs)
        checked += 1
    assert checked >= 2  # PyTorch 2.10 promises two, 2.13 three
