"""`penstock stream --raw`: reads samples from standard input, writes scores and words to standard output."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from penstock.cli.standard import standard_input
from penstock.cli.stream_state import KeptState
from penstock.errors import ConfigError
from penstock.runtime import Model, Stream

__all__ = ["stream_sound"]

_BYTES = 2  # of a sample
_LONGEST_BLOCK = 3600.0  # seconds


def stream_sound(
    model: Model, words: str | None, threshold: float | None, block_seconds: float, state: Path | None, *, skip: bool
) -> None:
    """Read 16-bit little-endian samples at the model's rate; write a JSON line for each block.

    Args:
        model: reads samples.
        words: those to hear, with commas between; None for all.
        threshold: the score from which on a word counts as heard; the model's own if None.
        block_seconds: of sound between two lines.
        state: the file that keeps the memory; None for none.
        skip: pass over the samples that the state has read.

    Raises:
        ConfigError: another kind of model, an unknown word, or a block of no length or an endless one.
    """
    if model.reads != "samples" or model.sample_rate is None:
        raise ConfigError(f"--raw reads audio samples, but this is a model for {model.task}. Leave it out.")
    if not 1 / model.sample_rate <= block_seconds <= _LONGEST_BLOCK:
        raise ConfigError(
            f"--block-seconds must hold at least one sample, and be {_LONGEST_BLOCK:g} at most; got {block_seconds:g}"
        )
    samples = round(block_seconds * model.sample_rate)
    wanted = None if words is None else [word.strip() for word in words.split(",") if word.strip()]
    stream, source = model.listen(wanted, threshold), standard_input()
    if state is None:
        for block in _blocks(source, samples):
            _print(stream, stream.push(block))
        _print(stream, stream.finish())
    else:  # the sound goes on in the next run, and so does a word that is being said
        with KeptState(state, stream) as kept:
            if kept.line:
                print(f"penstock: goes on after sample {kept.line}", file=sys.stderr)
            if skip:
                _pass_over(source, kept.line * _BYTES)
            for block in _blocks(source, samples):
                with kept.item(len(block)):
                    _print(stream, stream.push(block))


def _blocks(source: BinaryIO, samples: int) -> Iterator[np.ndarray]:
    """Yield samples int16 (samples,) as they arrive; the last block may be shorter."""
    while data := source.read(samples * _BYTES):
        yield np.frombuffer(data[: len(data) // _BYTES * _BYTES], "<i2").astype(np.int16)


def _pass_over(source: BinaryIO, count: int) -> None:
    """Skip `count` bytes, or all if there are fewer."""
    while count and (data := source.read(min(count, 1 << 16))):
        count -= len(data)


def _print(stream: Stream, prediction: Any) -> None:
    if line := stream.as_json(prediction):
        print(json.dumps(line, ensure_ascii=False), flush=True)
