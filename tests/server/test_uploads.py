"""What a client may upload: never a table that names files of the server's machine."""

import numpy as np
import pytest

from penstock.errors import ConfigError
from penstock.network import Network, Numbers, Recurrent
from penstock.server.uploads import Upload
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
