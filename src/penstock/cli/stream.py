"""`penstock stream`: a prediction after each piece of input, in constant memory."""

import json
import sys
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock.cli.command import argument, command, option
from penstock.cli.standard import standard_input
from penstock.cli.stream_state import KeptState
from penstock.cli.values import NUMBER, PATH
from penstock.datasets import text_lines
from penstock.errors import ConfigError

if TYPE_CHECKING:
    from penstock.runtime import Model, Stream


@command("stream", example="printf 'the food\\nwas wonderful\\n' | penstock stream sentiment")
@argument("model", metavar="DIR", type=PATH, help="A trained model's folder.")
@option("--state", type=PATH, help="File for the stream's state; an existing file is resumed.")
@option("--skip", is_flag=True, help="The input starts over: skip what the --state has already read.")
@option("--raw", is_flag=True, help="For audio models: read 16-bit little-endian samples at the model's rate.")
@option("--words", help="With --raw: the labels to detect, separated by commas; default: all.")
@option("--threshold", type=NUMBER, help="With --raw: the score above which a word counts as detected; default: 0.7.")
@option("--block-seconds", type=NUMBER, default=0.1, help="With --raw: seconds of sound per output line.")
def stream(
    model: Path,
    state: Path | None,
    skip: bool,
    raw: bool,
    words: str | None,
    threshold: float | None,
    block_seconds: float,
) -> None:
    """Read pieces of an input from standard input, a line each; write an answer to the input so far after each.

    For a text, a line is its next piece, and an answer is one JSON line: {"prediction": LABEL, "probabilities":
    {LABEL: P, ...}}. A blank line ends the input, without an answer of its own, and the next line starts a new one.

    For a tagger, a line is the next token, and an answer has the tags that it makes final: {"steps": [{"prediction":
    TAG}, ...]}. With a look-ahead of k these are of the token k lines before; the end of the sentence, a blank line,
    has the rest.

    For a language model, a line is the next line of the text, and an answer has the surprisal of its tokens. If line
    breaks are tokens of the model, a blank line is a line of the text too.

    For a sound, --raw: a JSON line for each block, {"seconds": TIME, "scores": {LABEL: P, ...}, "words": [{"word":
    LABEL, "seconds": TIME, "score": P}, ...]}; the scores are those of the block's last frame, and words are told when
    their score has fallen again, with the time at which they ended; at the end of the input too, but with --state,
    where the next run goes on.
    """
    from penstock.runtime import load

    if skip and state is None:
        raise ConfigError("--skip needs --state: it skips what the state has read. Add --state, or leave --skip out.")
    loaded = load(model)
    if raw:
        from penstock.cli.stream_sound import stream_sound

        stream_sound(loaded, words, threshold, block_seconds, state, skip=skip)
        return
    running = loaded.stream()
    lines = text_lines(standard_input(), "standard input")
    if state is None:
        for line in lines:
            _answer(running, _item(loaded, line))
        _tell_rest(running)
        return
    with KeptState(state, running) as kept:
        if kept.line:
            print(f"penstock: goes on after line {kept.line}", file=sys.stderr)
        for line in islice(lines, kept.line if skip else 0, None):
            with kept.item():
                _answer(running, _item(loaded, line))


def _item(model: "Model", line: str) -> Any:
    """Return what to push for a line; None for a blank line that ends the input."""
    return model.item(line) if line.strip() or model.reads_blank_lines else None


def _answer(stream: "Stream", item: Any) -> None:
    """Print the prediction after an item; None resets the stream."""
    if item is None:
        _tell_rest(stream)
        stream.reset()
    else:
        print(json.dumps(stream.as_json(stream.push(item)), ensure_ascii=False), flush=True)


def _tell_rest(stream: "Stream") -> None:
    """Print the labels that only the end of the input makes final, if there are any."""
    from penstock.runtime import StepLabels

    rest = stream.finish()
    if isinstance(rest, StepLabels) and rest.labels:
        print(json.dumps(stream.as_json(rest), ensure_ascii=False), flush=True)
