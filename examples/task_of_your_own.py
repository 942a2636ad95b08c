"""A task of your own: the language of a name, character by character. Import this file, then train it by command:

python -c 'import task_of_your_own, penstock.cli as c; c.main()' train names names.csv --out names
"""

from dataclasses import dataclass, fields

import numpy as np
import torch

from penstock.datasets import read_texts, text_table
from penstock.network import ClassHead, Embedding, Network, Recurrent
from penstock.runtime import TextModel
from penstock.sequences import Sequences
from penstock.tasks import Classifier, Column, Task, register
from penstock.tasks.options import CellOptions
from penstock.training import ClassObjective, Regularization


class Characters:
    kind, vocabulary_size = "characters", 512

    def apply(self, names):
        return Sequences.from_list([np.array([ord(c) % 512 for c in name], np.int32) for name in names], np.int32)

    def to_json(self):
        return {"kind": self.kind}


class Commonest:
    names = ("majority",)

    def __init__(self, arrays):
        self.shares = arrays["class_counts"] / arrays["class_counts"].sum()

    def answers(self, name, inputs):
        return np.tile(self.shares, (len(inputs), 1))


class NameModel(TextModel):
    task = "names"
    read_features = classmethod(lambda cls, described: Characters())
    read_baselines = staticmethod(Commonest)


@dataclass(kw_only=True, eq=False, repr=False)
class NameClassifier(CellOptions, Classifier):
    task = "names"
    bidirectional: bool = True  # a name is short and comes at once

    def _rows(self, inputs, labels):
        return text_table(inputs, labels)

    def _describe(self, data):
        return Characters(), self._network(data, Characters())

    def _network(self, data, features):
        cell = {each.name: getattr(self, each.name) for each in fields(CellOptions)}
        return Network(Embedding(512, 32), Recurrent(input_size=32, **cell), ClassHead(len(data.labels)))

    def _objective(self, data, features, network, seed):
        train, valid, weights = data.train, data.valid, torch.from_numpy(self._weights(data)).float()
        rules = Regularization(output_dropout=0.2, label_smoothing=0.05, prefix_share=0.0)
        given = {"sequences": features.apply(train.inputs), "targets": train.targets}
        given |= {"valid_sequences": features.apply(valid.inputs), "valid_targets": valid.targets}
        more = {"batch_size": self.batch_size, "generator": torch.Generator().manual_seed(seed)}
        return ClassObjective(**given, **more, weights=weights, regularization=rules)

    def _fit_baselines(self, data, features):
        return {"class_counts": np.bincount(data.train.targets, minlength=len(data.labels))}, {}


def read(path, columns, answers):
    return read_texts(path, text=columns["name"], label=columns["label"] if answers else None)


NAME, LABEL = Column("name", "The column of names.", "name"), Column("label", "Languages.", "label", answer=True)
CLASSES = (f"{__name__}:NameClassifier", f"{__name__}:NameModel")
TASK = Task("names", "names", "Say which language a name is of.", "a.csv --out b", (NAME, LABEL), read, *CLASSES)
register(TASK)
