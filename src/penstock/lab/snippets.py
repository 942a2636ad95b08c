"""The lines of Penstock code beside each figure; a test runs them, one after another."""

__all__ = ["SNIPPETS"]

SNIPPETS = {
    "unroll": """\
import torch
from penstock import nn

rnn = nn.RNN(6, 8)
x = torch.randn(20, 1, 6)  # (time, batch, input)
y, h = rnn(x)  # all steps at once
h = None
for t in range(20):  # or one by one: the same numbers
    y, h = rnn(x[t : t + 1], h)""",
    "gates": """\
from penstock.runtime import Recurrence

lstm = nn.LSTM(6, 8)
stream = Recurrence(lstm.state_dict(), cell="lstm").stream()
output, steps = stream.trace(x[0])
steps[0][0]["forget"]  # of the first step and layer; also "input", "output", "c"...""",
    "gradients": """\
from penstock.inspection import gradient_norms

norms = gradient_norms(lstm, x, lambda y: y[-1].square().mean())
norms[::-1]  # by distance from the last step""",
    "forgetting": """\
nn.LSTM(6, 8, init="forget_bias")  # starts at 1
nn.LSTM(6, 8, init="chrono", max_time=100)  # spreads over up to 100 steps""",
    "start": """\
nn.RNN(6, 8, init="orthogonal")  # LSTM and GRU too""",
    "clipping": """\
import penstock

penstock.TextClassifier(clip=1.0)  # the default; in your own loop:
torch.nn.utils.clip_grad_norm_(lstm.parameters(), 1.0)""",
    "timing": """\
nn.LSTM(6, 8, peephole=True)""",
    "truncation": """\
state = None
for part in x.split(10):  # the gradient goes back 10 steps at most
    y, state = lstm(part, state)
    y.square().mean().backward()
    state = tuple(each.detach() for each in state)""",
}
"""By figure."""
