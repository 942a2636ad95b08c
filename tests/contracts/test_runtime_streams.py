"""For every cell: an answer's bits depend on the text alone, whether it came at once or in pieces."""

import numpy as np
import pytest

from penstock import engine
from penstock.cells import VARIANTS
from penstock.text.model import TextModel

LAYERS = (1, 2, 3)
THREADS = (1, 2, 3, 4)
TOKENS = ["the", "ferry", "sailed", ",", "didn't", "我", "旅", "3", "unseen"]


def name(variant):
    return "-".join([variant[0], *(f"{option}={value}" for option, value in variant[1].items())])


ZONED = [("rnn", {"zoneout": 0.2}), ("gru", {"zoneout": 0.3}), ("lstm", {"zoneout": (0.1, 0.4)})]


@pytest.fixture(params=[*VARIANTS, *ZONED], ids=name)
def cell(request):
    """A cell and its options; a projection gets a size."""
    kind, options = request.param
    return {"cell": kind, "hidden_size": 45} | {k: 23 if v is None else v for k, v in options.items()}


@pytest.fixture
def threads():
    before = engine.get_num_threads()
    yield engine.set_num_threads
    engine.set_num_threads(before)


def draw_texts(count=19, longest=40):
    """Texts of every length from none on, in no order, some of several lines."""
    rng = np.random.default_rng(3)
    lengths = rng.permutation(np.linspace(0, longest, count).astype(int))
    return ["".join(rng.choice(TOKENS) + rng.choice([" ", "\n"]) for _ in range(length)) for length in lengths]


@pytest.mark.parametrize("layers", LAYERS, ids="L{}".format)
def test_streamed_equals_whole_and_padded_equals_alone(text_parts, cell, layers, threads):
    pooling = ("mean_max", "last", "max")[layers - 1]
    model = TextModel(*text_parts(**cell, num_layers=layers, pooling=pooling))
    texts = draw_texts()
    threads(1)
    whole = model.predict_proba(texts)
    assert len(np.unique(whole.round(5), axis=0)) > 10, "the answers must differ for this test to mean anything"
    for count in THREADS:
        threads(count)
        assert model.predict_proba(texts).tobytes() == whole.tobytes()
        alone = np.concatenate([model.predict_proba([text]) for text in texts])
        assert alone.tobytes() == whole.tobytes()
        for text, expected in zip(texts[::3], whole[::3], strict=True):
            stream = model.stream()
            for piece in text.split("\n"):
                stream.push(piece)
            assert list(stream.finish().values()) == expected.tolist()


@pytest.mark.parametrize("layers", LAYERS, ids="L{}".format)
def test_a_saved_or_forked_stream_continues_with_the_same_bits(text_parts, cell, layers):
    model = TextModel(*text_parts(**cell, num_layers=layers))
    unbroken, broken = model.stream(), model.stream()
    for text in draw_texts(count=7, longest=12):
        unbroken.push(text)
        broken.push(text)
        fork = broken.fork()
        broken.push("what the fork does not see")
        broken = model.stream().load(fork.save())
        assert broken.push(text) == fork.push(text) == unbroken.push(text)
    assert broken.save() == unbroken.save() == fork.save()


@pytest.mark.parametrize("layers", LAYERS, ids="L{}".format)
@pytest.mark.slow
def test_bidirectional_answers_do_not_depend_on_the_batch(text_parts, cell, layers, threads):
    model = TextModel(*text_parts(**cell, num_layers=layers, bidirectional=True))
    texts = draw_texts()
    whole = model.predict_proba(texts)
    for count in THREADS:
        threads(count)
        assert np.concatenate([model.predict_proba([text]) for text in texts]).tobytes() == whole.tobytes()
        assert model.predict_proba(texts[::-1])[::-1].tobytes() == whole.tobytes()


def test_the_runtime_agrees_with_the_pytorch_network(text_parts, cell):
    torch = pytest.importorskip("torch")
    from penstock.nn.network import NetworkModule

    network, features, labels, tensors = text_parts(**cell, num_layers=2)
    module = NetworkModule(network).eval()
    module.load_state_dict({key: torch.tensor(array) for key, array in tensors.items()})
    texts = draw_texts()
    ids, lengths = features.apply(texts).pad()
    with torch.no_grad():
        expected = module(torch.tensor(ids), torch.tensor(lengths)).softmax(1).numpy()
    # The same bits through the recurrence; the head's sums run in another order.
    np.testing.assert_allclose(TextModel(network, features, labels, tensors).predict_proba(texts), expected, atol=1e-5)
