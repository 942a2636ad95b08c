"""Drawn architectures of PyTorch and Keras, for property tests of import and of the way out again."""

from dataclasses import dataclass

from hypothesis import strategies as st

HEADS = ("steps", "last", "state", "mean", "max", "sum")
BETWEEN = ("nothing", "norm", "gelu", "residual")
MERGES = ("concat", "sum", "mul", "ave")


@dataclass(frozen=True)
class Block:
    """Recurrent layers of one size."""

    cell: str
    hidden: int
    layers: int
    both: bool
    bias: bool
    option: int
    """Of an LSTM, the size of its projection, 0 for none; of an RNN, whether it has relu; of a GRU nothing."""

    @property
    def options(self):
        if self.cell == "LSTM" and self.option:
            return {"proj_size": self.option}
        return {"nonlinearity": "relu"} if self.cell == "RNN" and self.option else {}

    @property
    def size(self):
        return (self.options.get("proj_size") or self.hidden) * (2 if self.both else 1)


@dataclass(frozen=True)
class Plan:
    """A network: an embedding or numbers, blocks of recurrent layers with something between, heads."""

    ids: bool
    inputs: int
    first: int
    """The size of a linear layer before the recurrent ones, 0 for none."""
    blocks: tuple[Block, ...]
    between: str
    heads: tuple[str, ...]
    batch_first: bool
    packed: bool


@st.composite
def blocks(draw, cells=("LSTM", "GRU", "RNN")):
    hidden = draw(st.integers(1, 7))
    return Block(
        draw(st.sampled_from(cells)),
        hidden,
        draw(st.integers(1, 3)),
        draw(st.booleans()),
        draw(st.booleans()),
        draw(st.integers(0, hidden - 1)),
    )


@st.composite
def plans(draw, most_blocks=2):
    heads = draw(st.lists(st.sampled_from(HEADS), min_size=1, max_size=3, unique=True))
    batch_first = draw(st.booleans())
    return Plan(
        draw(st.booleans()),
        draw(st.integers(1, 5)),
        draw(st.integers(0, 3)),
        tuple(draw(st.lists(blocks(), min_size=1, max_size=most_blocks))),
        draw(st.sampled_from(BETWEEN)),
        tuple(heads),
        batch_first,
        batch_first and draw(st.booleans()),
    )


def torch_module(plan):
    """The plan as a module of PyTorch with random weights; its input is called x, and lengths follow if it packs."""
    import torch
    from torch import nn

    class Drawn(nn.Module):
        def __init__(self):
            super().__init__()
            size = plan.inputs
            if plan.ids:
                self.table, size = nn.Embedding(plan.inputs + 1, plan.inputs), plan.inputs
            if plan.first:
                self.first, size = nn.Linear(size, plan.first), plan.first
            self.rnns, self.norms, self.adds = nn.ModuleList(), nn.ModuleList(), []
            for block in plan.blocks:
                self.norms.append(nn.LayerNorm(size) if plan.between == "norm" else nn.Identity())
                layer = getattr(nn, block.cell)
                more = {"batch_first": plan.batch_first, "bidirectional": block.both, "bias": block.bias}
                self.rnns.append(layer(size, block.hidden, block.layers, **more, **block.options))
                self.adds.append(plan.between == "residual" and size == block.size)
                size = block.size
            self.heads = nn.ModuleDict({name: nn.Linear(size, number + 1) for number, name in enumerate(plan.heads)})

        def body(self, x, lengths=None):
            y = self.table(x) if plan.ids else x
            y = torch.tanh(self.first(y)) if plan.first else y
            for norm, rnn, block, adds in zip(self.norms, self.rnns, plan.blocks, self.adds, strict=True):
                before, read = y, norm(y)
                if plan.packed:
                    read = nn.utils.rnn.pack_padded_sequence(read, lengths, batch_first=True, enforce_sorted=False)
                y, state = rnn(read)
                if plan.packed:
                    y, _ = nn.utils.rnn.pad_packed_sequence(y, batch_first=True)
                h = state[0] if block.cell == "LSTM" else state
                last = torch.cat([h[-2], h[-1]], dim=-1) if block.both else h[-1]
                if plan.between == "gelu":
                    y = nn.functional.gelu(y)
                y = y + before if adds else y
            return {name: head(self.read(name, y, last)) for name, head in self.heads.items()}

        def read(self, name, y, last):
            time = 1 if plan.batch_first else 0
            if name == "steps":
                return y
            if name == "state":
                return last
            if name == "last":
                return y[:, -1] if plan.batch_first else y[-1]
            return y.max(dim=time)[0] if name == "max" else getattr(y, name)(dim=time)

    class Plain(Drawn):
        def forward(self, x):
            return self.body(x)

    class Packed(Drawn):
        def forward(self, x, lengths):
            return self.body(x, lengths)

    return (Packed if plan.packed else Plain)().eval()


@st.composite
def keras_plans(draw):
    """A plan for Keras: ids that 0 masks, or numbers; layers with their options; pools or the last step."""
    cells = st.sampled_from(("SimpleRNN", "LSTM", "GRU"))
    layers = [
        {
            "cell": draw(cells),
            "units": draw(st.integers(1, 7)),
            "use_bias": draw(st.booleans()),
            "back": draw(st.booleans()),
            "merge": draw(st.sampled_from((None, *MERGES))),
            "after": draw(st.booleans()),
        }
        for _ in range(draw(st.integers(1, 3)))
    ]
    return {
        "inputs": draw(st.integers(1, 5)),
        "ids": draw(st.booleans()),
        "masked": draw(st.booleans()),
        "dense": draw(st.integers(0, 3)),
        "layers": layers,
        "head": draw(st.sampled_from(("steps", "last", "mean", "max"))),
        "outputs": draw(st.integers(1, 3)),
    }


def keras_model(keras, plan):
    """The plan as a functional model of Keras."""
    L = keras.layers
    if plan["ids"]:
        x = keras.Input((None,))
        y = L.Embedding(plan["inputs"] + 1, plan["inputs"], mask_zero=plan["masked"])(x)
    else:
        x = keras.Input((None, plan["inputs"]))
        y = L.Masking(0.0)(x) if plan["masked"] else x
    y = L.Dense(plan["dense"], activation="tanh")(y) if plan["dense"] else y
    for place, each in enumerate(plan["layers"]):
        whole = place + 1 < len(plan["layers"]) or plan["head"] != "last"
        more = {"reset_after": each["after"]} if each["cell"] == "GRU" else {}
        merge = each["merge"]
        layer = getattr(L, each["cell"])(
            each["units"],
            use_bias=each["use_bias"],
            return_sequences=whole,
            go_backwards=each["back"] and merge is None,
            **more,
        )
        y = (L.Bidirectional(layer, merge_mode=merge) if merge else layer)(y)
    pools = {"mean": L.GlobalAveragePooling1D, "max": L.GlobalMaxPooling1D}
    y = pools[plan["head"]]()(y) if plan["head"] in pools else y
    return keras.Model(x, L.Dense(plan["outputs"])(y))
