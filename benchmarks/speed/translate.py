"""Sentences translated a second by beam search, on one thread: Penstock's, and the usual loop in PyTorch.

    python benchmarks/speed/translate.py

Both search with the same network with random weights, and the targets that they find must be the same. In PyTorch it is
the loop of its tutorials, `nn.GRU` and `topk` under `inference_mode`, a sentence at a time with its beam as the batch;
Penstock's search takes 64 sentences together. Targets can't end before their 12th token, so that both do as many steps.
Ways take turns, and the figures are medians over the rounds.
"""

import math
import time
from statistics import median
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from penstock import engine, nn
from penstock.network import Embedding, Network, Recurrent
from penstock.runtime import scorer
from penstock.sequences import Sequences
from penstock.tokens import BEGIN, END, UNKNOWN
from penstock.translate.beam import Beam
from penstock.translate.spec import AttentionDecoder

SENTENCES, LOOPED, ROUNDS = 128, 16, 5
LONGEST, NEVER = 12, -100.0
NETWORKS = {"3,000 tokens, GRU 256": (3_000, 192, 256), "8,000 tokens, GRU 512": (8_000, 256, 512)}
"""Vocabulary, size of the embeddings, hidden size."""


def main() -> None:
    """Print sentences a second of both ways for each network and beam, and the ratio."""
    engine.set_num_threads(1)
    torch.set_num_threads(1)
    print(f"PyTorch {torch.__version__}, one thread")
    print("| network | beam | Penstock sentences/s | PyTorch | ratio |")
    print("|---|---|---|---|---|")
    for name, sizes in NETWORKS.items():
        module, sources = network(*sizes), sentences(sizes[0])
        for size in (1, 5, 10):
            ours, theirs = Penstock(module, size), Loop(module, size)
            assert [ours(sources[[row]])[0] for row in range(4)] == [theirs(sources[row]) for row in range(4)]
            rounds = [_times(ours, theirs, sources) for _ in range(ROUNDS)]
            speeds = [median(1 / each[way] for each in rounds) for way in range(2)]
            ratio = median(each[1] / each[0] for each in rounds)
            print(f"| {name} | {size} | {speeds[0]:,.0f} | {speeds[1]:,.1f} | {ratio:.1f} |", flush=True)


def network(vocabulary: int, embedding: int, hidden: int) -> Any:
    """Return a module with random weights that seldom ends a target."""
    torch.manual_seed(0)
    encoder = Recurrent(cell="gru", input_size=embedding, hidden_size=hidden, bidirectional=True)
    decoder = Recurrent(cell="gru", input_size=embedding, hidden_size=hidden)
    head = AttentionDecoder(vocabulary, embedding, decoder)
    module = nn.build(Network(Embedding(vocabulary, embedding), encoder, head)).eval()
    with torch.no_grad():
        module.head.embedding.mul_(3)  # so that scores differ
        module.head.output_bias[END] = NEVER
    return module


def sentences(vocabulary: int) -> Sequences:
    """Return sources of 8 to 24 tokens."""
    draw = np.random.default_rng(0)
    lengths = draw.integers(8, 25, SENTENCES)
    return Sequences(draw.integers(3, vocabulary, lengths.sum()).astype(np.int32), np.cumsum([0, *lengths]))


class Penstock:
    """The runtime's search: the tokens of the best target of each source."""

    def __init__(self, module: Any, size: int) -> None:
        self._scorer = scorer.build(module.network, {name: each.numpy() for name, each in module.state_dict().items()})
        self._beam = Beam(begin=BEGIN, end=END, banned=(BEGIN, UNKNOWN), size=size, max_length=LONGEST)

    def __call__(self, sources: Sequences) -> list[list[int]]:
        found = dict(self._scorer.search(sources, self._beam, 1))
        return [found[row][0].tokens.tolist() for row in range(len(sources))]


class Loop:
    """The same search in PyTorch for one source."""

    def __init__(self, module: Any, size: int) -> None:
        self._size, self._embedding, self._head = size, module.inputs.weight.detach(), module.head
        sizes = module.network.encoder.input_size, module.network.encoder.hidden_size
        self._encoder = torch.nn.GRU(*sizes, batch_first=True, bidirectional=True)
        self._encoder.load_state_dict(module.encoder.state_dict())
        self._decoder = torch.nn.GRU(*sizes, batch_first=True)
        self._decoder.load_state_dict(module.head.decoder.state_dict())

    @torch.inference_mode()
    def __call__(self, source: np.ndarray) -> list[int]:
        head = self._head
        y, ends = self._encoder(self._embedding[torch.from_numpy(source).long()][None])
        state = torch.tanh(functional.linear(torch.cat([*ends], 1), head.initial_weight, head.initial_bias))[None]
        keys = functional.linear(y[0], head.key_weight)
        tokens, totals, written, ended = torch.tensor([BEGIN]), torch.zeros(1), torch.zeros(1, 0, dtype=torch.long), []
        for step in range(LONGEST + 1):
            out, state = self._decoder(head.embedding[tokens][:, None], state)
            weights = (out[:, 0] @ keys.T).softmax(1)
            both = torch.cat([weights @ y[0], out[:, 0]], 1)
            readout = torch.tanh(functional.linear(both, head.readout_weight, head.readout_bias))
            scores = functional.linear(readout, head.embedding, head.output_bias).log_softmax(1)
            scores[:, [UNKNOWN, BEGIN]] = -math.inf
            if step == LONGEST:
                scores[:, END + 1 :] = -math.inf
            totals, places = (totals[:, None] + scores).flatten().topk(self._size - len(ended))
            rows, tokens = places // scores.shape[1], places % scores.shape[1]
            ends = tokens == END
            ended += [(total / (step + 1), written[row]) for total, row in zip(totals[ends], rows[ends], strict=True)]
            rows, tokens, totals = rows[~ends], tokens[~ends], totals[~ends]
            if not len(rows):
                break
            state, written = state[:, rows], torch.cat([written[rows], tokens[:, None]], 1)
        best: list[int] = max(ended, key=lambda each: float(each[0]))[1].tolist()
        return best


def _times(ours: Penstock, theirs: Loop, sources: Sequences) -> tuple[float, float]:
    """Seconds a sentence of both ways."""
    began = time.perf_counter()
    ours(sources)
    between = time.perf_counter()
    for row in range(LOOPED):
        theirs(sources[row])
    return (between - began) / len(sources), (time.perf_counter() - between) / LOOPED


if __name__ == "__main__":
    main()
