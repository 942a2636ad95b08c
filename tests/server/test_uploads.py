"""What a client may upload: never a table that names files of the server's machine."""

import numpy as np
import pytest

from penstock.errors import ConfigError
from penstock.network import Network, Numbers, Recurrent
from penstock.server import uploads
from penstock.server.failures import RequestError
from penstock.server.uploads import Upload, json_given
from penstock.speech.features import SpeechFeatures
from penstock.speech.frames import Frames, GivenFrames
from penstock.speech.model import SpeechModel
from penstock.speech.spec import CtcHead


def test_a_model_of_features_made_elsewhere_takes_no_table_of_paths():
    features = SpeechFeatures.fit(GivenFrames(), [Frames(np.eye(3))], ["ab"])
    network = Network(Numbers(features.size), Recurrent(input_size=features.size, hidden_size=2), CtcHead(3))
    tensors = {name: np.zeros(shape, np.float32) for name, shape in network.parameter_shapes().items()}
    model = SpeechModel(network, features, [], tensors)
    for name in ("list.csv", "said.npz", "a.wav"):
        with pytest.raises(ConfigError, match="takes no files"):
            Upload(name, b"audio,text\n/etc/there.wav,yes\n").inputs(model)


@pytest.mark.parametrize(
    "body",
    [
        b'{"inputs": [[%s1]]}' % (b"1," * 100),
        b'{"inputs": [%s1]}' % (b"[]," * 60),
        b'{"inputs": [{%s"k": 1}]}' % b"".join(b'"%d": 1, ' % number for number in range(60)),
    ],
    ids=["numbers", "lists", "keys"],
)
def test_json_of_too_many_values_is_refused_unread(words, monkeypatch, body):
    monkeypatch.setattr(uploads, "_MOST_MARKS", 100)
    with pytest.raises(RequestError, match="at most 100 commas, colons and opening brackets") as caught:
        json_given(body, words)
    assert (caught.value.status, caught.value.kind) == (413, "TooLarge")


def test_texts_may_be_long_and_rows_many(words, monkeypatch):
    monkeypatch.setattr(uploads, "_MOST_MARKS", 20)
    assert json_given(b'{"inputs": ["%s"]}' % (b"w1 " * 1000), words).inputs == ["w1 " * 1000]
    assert Upload("a.jsonl", b'{"text": "w1"}\n' * 100).inputs(words) == ["w1"] * 100
    for name, rows in (("a.json", b'[%s{"text": "w1"}]' % (b'{"text": "w1"}, ' * 20)), ("a.jsonl", b"[]" * 40)):
        with pytest.raises(RequestError, match="at most 20 commas"):
            Upload(name, b'{"text": "w1"}\n' + rows if name == "a.jsonl" else rows).inputs(words)
