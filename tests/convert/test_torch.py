"""Modules, programs, state_dicts and files of PyTorch as graphs, against PyTorch's own run."""

import pickle
import zipfile

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from safetensors.torch import save_file

torch = pytest.importorskip("torch", reason="PyTorch is the source")

import penstock  # noqa: E402
from penstock import convert  # noqa: E402
from penstock import nn as ours  # noqa: E402
from penstock.convert.importing.checking import TOLERANCE  # noqa: E402
from penstock.decoded import at_most  # noqa: E402
from penstock.errors import BundleError, ConfigError, DataError  # noqa: E402

nn, F = torch.nn, torch.nn.functional


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def checked(model):
    """The check ran, and all outputs were those of PyTorch; return the model."""
    record = model.metrics["import"]["checked"]
    assert record["against"].startswith("PyTorch")
    assert record["largest_difference"] <= TOLERANCE
    return model


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN:UserWarning")
@pytest.mark.parametrize("batch_first", [False, True], ids=["time-first", "batch-first"])
@pytest.mark.parametrize("both", [False, True], ids=["one", "both"])
@pytest.mark.parametrize(
    ("cell", "options"),
    [
        ("LSTM", {}),
        ("LSTM", {"num_layers": 2, "proj_size": 3}),
        ("GRU", {"bias": False}),
        ("GRU", {"num_layers": 3, "dropout": 0.5}),
        ("RNN", {}),
        ("RNN", {"nonlinearity": "relu", "num_layers": 2}),
    ],
)
def test_layers_of_all_forms(cell, options, both, batch_first):
    layer = getattr(nn, cell)(5, 4, batch_first=batch_first, bidirectional=both, **options)
    layer.train()
    model = checked(convert.from_torch(layer))
    assert layer.training
    assert "final states" in model.metrics["import"]["notes"][0]
    state = {f"rnn.{name}": tensor for name, tensor in layer.state_dict().items()}
    more = {"nonlinearity": "relu"} if options.get("nonlinearity") else {}
    alone = checked(convert.from_torch(state, **more))
    for name, array in alone.tensors.items():
        assert_array_equal(array, layer.state_dict()[name.removeprefix("outputs.")].numpy())


def test_layers_of_penstock():
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.peepholes = ours.LSTM(3, 4, peephole=True, batch_first=True)
            self.before = ours.GRU(4, 4, reset_after=False, batch_first=True, bidirectional=True)

        def forward(self, x, lengths=None):
            return self.before(self.peepholes(x, lengths=lengths)[0], lengths=lengths)[0]

    checked(convert.from_torch(Model()))


class Tagger(nn.Module):
    """Two inputs, packing, and what is done with outputs and final states."""

    def __init__(self):
        super().__init__()
        self.table, self.first = nn.Embedding(9, 4, padding_idx=0), nn.Linear(3, 4)
        self.norm, self.rnn = nn.LayerNorm(8), nn.GRU(8, 6, 2, batch_first=True, bidirectional=True, dropout=0.2)
        self.batch, self.head = nn.BatchNorm1d(12), nn.Linear(12, 2)
        self.scale = nn.Parameter(torch.randn(12))
        self.batch.running_mean.normal_()

    def forward(self, words, level, lengths):
        x = torch.cat([self.table(words), F.gelu(self.first(level))], dim=-1)
        packed = nn.utils.rnn.pack_padded_sequence(self.norm(x), lengths, batch_first=True)
        y, h = self.rnn(packed)
        y, _ = nn.utils.rnn.pad_packed_sequence(y, batch_first=True)
        last = torch.cat([h[-2], h[-1]], dim=1)
        normed = self.batch(y.transpose(1, 2)).transpose(1, 2)
        return {
            "kind": self.head(F.dropout(last, 0.5, self.training)).softmax(dim=-1),
            "steps": self.head(F.leaky_relu(normed * self.scale - 0.5, 0.2)),
            "mean": (y.mean(dim=1) + 2 * last) / 3,
            "most": torch.max(y, 1)[0] - y.sum(1),
            "pooled": F.adaptive_max_pool1d(y.permute(0, 2, 1), 1).squeeze(-1),
            "ends": y[:, -1, :6] * y[:, 0, ...][:, 6:],
        }


def test_an_ordinary_module_of_many_parts(tmp_path):
    module = Tagger().train()
    model = checked(convert.from_torch(module))
    assert module.training
    assert module.batch.training
    assert model.network.outputs == ("kind", "steps", "mean", "most", "pooled", "ends")
    assert set(model.network.inputs) == {"words", "level"}
    loaded = penstock.load(model.save(tmp_path / "tagger"))
    item = {"words": np.array([1, 8, 3]), "level": np.random.default_rng(0).normal(size=(3, 3)).astype(np.float32)}
    module.eval()
    with torch.no_grad():
        expected = module(torch.tensor(item["words"])[None], torch.tensor(item["level"])[None], torch.tensor([3]))
    for name, array in loaded.predict([item])[0].items():
        assert_allclose(array, expected[name][0].numpy(), atol=1e-5)


class Last(nn.Module):
    """The usual classifier: embedding, LSTM, the last step, a linear layer."""

    def __init__(self, batch_first=True):
        super().__init__()
        self.table, self.rnn, self.head = nn.Embedding(9, 4), nn.LSTM(4, 5, batch_first=batch_first), nn.Linear(5, 2)

    def forward(self, ids):
        _, (h, _) = self.rnn(self.table(ids))
        return self.head(h.squeeze(0))


@pytest.mark.parametrize("batch_first", [False, True])
def test_a_classifier_is_streamed(batch_first):
    model = checked(convert.from_torch(Last(batch_first), check=[[1, 2, 3]]))
    stream = model.stream()
    for step in (4, 0, 7):
        answer = stream.push(step)
    assert_array_equal(answer, model.predict([[4, 0, 7]])[0])


def test_a_state_dict_holds_what_is_certain(tmp_path):
    module = Last()
    assert convert.from_torch(module.state_dict()).predict([[1, 2]])[0].shape == (2, 2)
    model = checked(convert.from_torch({"epoch": 3, "model": module.state_dict()}, pool="last"))
    assert_allclose(model.predict([[4, 0, 7]])[0], module(torch.tensor([[4, 0, 7]]))[0].detach().numpy(), atol=1e-6)
    alone = checked(convert.from_torch(module.state_dict(), prefix="rnn"))
    assert alone.network.inputs["x"].size == 4
    state = Tagger().state_dict()
    with pytest.raises(ConfigError, match=r"uncertain what these do: scale \(12,\), table.weight .* prefix='rnn'"):
        convert.from_torch(state)
    with pytest.raises(
        ConfigError, match=r"there is no recurrent layer under the prefix 'gru'. Prefixes found: 'rnn.'"
    ):
        convert.from_torch(state, prefix="gru")
    two = {f"{side}.{name}": tensor for side in "ab" for name, tensor in module.rnn.state_dict().items()}
    with pytest.raises(ConfigError, match=r"several recurrent parts: 'a.', 'b.'. Choose one by prefix="):
        convert.from_torch(two)
    with pytest.raises(ConfigError, match="no recurrent layer: no name ends in"):
        convert.from_torch({"weight": torch.zeros(2, 2)})
    with pytest.raises(ConfigError, match="has 5 gates of 4 units"):
        convert.from_torch({"weight_ih_l0": torch.zeros(20, 3), "weight_hh_l0": torch.zeros(20, 4)})


def test_files_of_all_kinds(tmp_path):
    module = Last().eval()
    expected = convert.from_torch(module.state_dict(), pool="last")
    torch.save(module.state_dict(), tmp_path / "new.pt")
    torch.save({"state_dict": module.state_dict()}, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    save_file(module.state_dict(), tmp_path / "model.safetensors")
    for name in ("new.pt", "old.pt", "model.safetensors"):
        assert checked(convert.from_torch(tmp_path / name, pool="last")).fingerprint == expected.fingerprint


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore:The tensor attributes:UserWarning")
def test_programs_and_scripts(tmp_path):
    module = Last().eval()
    with torch.no_grad():
        program = torch.export.export(module, (torch.zeros((1, 6), dtype=torch.long),))
    torch.export.save(program, tmp_path / "model.pt2")
    torch.jit.script(module).save(tmp_path / "model.ts")
    expected = module(torch.tensor([[4, 0, 7]]))[0].detach().numpy()
    for source in (program, tmp_path / "model.pt2"):
        assert_allclose(checked(convert.from_torch(source)).predict([[4, 0, 7]])[0], expected, atol=1e-6)
    scripted = checked(convert.from_torch(tmp_path / "model.ts", pool="last"))
    assert_allclose(scripted.predict([[4, 0, 7]])[0], expected, atol=1e-6)


class _Runs:
    def __reduce__(self):
        return print, ("this must not run",)


def test_pickles_are_not_opened(tmp_path, capsys):
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(_Runs()))
    torch.save(_Runs(), tmp_path / "object.pt")
    torch.save(Last(), tmp_path / "module.pt")
    (tmp_path / "text.pt").write_text("weights")
    whole = tmp_path / "whole.pt"
    torch.save(Last().state_dict(), whole)
    (tmp_path / "cut.pt").write_bytes(whole.read_bytes()[:-500])
    with zipfile.ZipFile(tmp_path / "other.pt", "w") as archive:
        archive.writestr("notes/text", "none")
    for name, message in [
        ("none.pt", "no such file"),
        ("model.pkl", "a pickle, which could run code and is not opened"),
        ("object.pt", "holds objects, not tensors alone"),
        ("module.pt", "holds objects, not tensors alone, .* Save model.state_dict"),
        ("text.pt", "is no file of PyTorch"),
        ("cut.pt", "damaged or cut off"),
        ("other.pt", "a zip, but none of PyTorch's: it holds text"),
    ]:
        with pytest.raises(BundleError, match=message):
            convert.from_torch(tmp_path / name)
    assert capsys.readouterr().out == ""


def test_huge_files_are_refused_by_their_declared_size(tmp_path):
    torch.save(Last().state_dict(), tmp_path / "model.pt")
    with at_most(100), pytest.raises(DataError, match=r"model.pt: holds more than 100 bytes when decoded"):
        convert.from_torch(tmp_path / "model.pt")


def module_of(forward, **layers):
    """A module with these layers and this forward."""

    class Made(nn.Module):
        def __init__(self):
            super().__init__()
            for name, layer in layers.items():
                setattr(self, name, layer)

    Made.forward = forward
    return Made()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.Sequential(nn.Conv1d(2, 3, 1)), "0: the layer Conv1d can't be imported: import the recurrent part"),
        (lambda: nn.Sequential(nn.Linear(3, 2), nn.PReLU()), "1: the layer PReLU can't be imported: layers that"),
        (lambda: module_of(lambda s, x: s.a(x)[0].cumsum(1), a=nn.GRU(3, 4)), "the function 'cumsum' can't be"),
        (lambda: module_of(lambda s, x: s.a(x)[0][:, 2], a=nn.GRU(3, 4, batch_first=True)), "entry 2 of the axis t"),
        (lambda: module_of(lambda s, x: s.a(x)[0].reshape(2, -1), a=nn.GRU(3, 4)), "reshape, view or flatten"),
        (lambda: module_of(lambda s, x: s.a(x)[1][0], a=nn.GRU(3, 4, 2)), "final state of a lower layer"),
        (
            lambda: module_of(lambda s, x: s.a(x) if x.sum() > 0 else x, a=nn.Linear(3, 4)),
            "can't be traced by torch.fx",
        ),
        (lambda: module_of(lambda s, x, h: s.a(x, h)[0], a=nn.GRU(3, 4)), "initial states that are not zero"),
        (
            lambda: nn.Sequential(nn.ReLU(), nn.Linear(3, 2)),
            r"size of the input 'input' is not known here. Give sizes=",
        ),
    ],
)
def test_what_cannot_come_in_is_named(make, message):
    with pytest.raises(ConfigError, match=message):
        convert.from_torch(make())


def test_sizes_and_options_are_checked():
    module = nn.Sequential(nn.Tanh(), nn.Linear(3, 2))
    assert checked(convert.from_torch(module, sizes={"input": 3})).network.inputs["input"].size == 3
    with pytest.raises(ConfigError, match="prefix=, pool= and options of the cell are for a state_dict"):
        convert.from_torch(module, pool="last")
    with pytest.raises(ConfigError, match="source must be a module"):
        convert.from_torch(3)


def test_a_difference_is_refused(monkeypatch):
    monkeypatch.setattr("penstock.convert.importing.checking.TOLERANCE", -1.0)
    with pytest.raises(ConfigError, match=r"the imported output differs from that of PyTorch .* by"):
        convert.from_torch(Last())
