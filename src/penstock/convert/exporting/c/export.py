"""`to_c`: the files of a network in C, compiled and compared with the runtime before they are written."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.convert.exporting.c.listening import listening_files
from penstock.convert.exporting.c.source import identifier
from penstock.convert.exporting.c.translation import translated
from penstock.convert.exporting.c.verify import Loss, compared, found_compiler, heard
from penstock.convert.exporting.c.written import files_of
from penstock.convert.exporting.exported import encoded, of_model
from penstock.convert.exporting.files import Written, check_free, write
from penstock.convert.exporting.verification import check
from penstock.errors import ConfigError, MissingExtraError

__all__ = ["to_c"]

HEARD = 1e-3
"""The largest difference that scores from samples may have: a Fourier transform and logarithms that round differently
come before the network."""


def to_c(
    model: Any,
    path: str | Path,
    *,
    int8: bool = False,
    data: Sequence[Any] | None = None,
    compiler: str | None = None,
    overwrite: bool = False,
) -> Written:
    """Write a model's network as C99: NAME.h, NAME.c and an example, NAME_main.c.

    The header declares NAME_init, NAME_step and NAME_STATE_BYTES. The source needs no other library than expf, logf and
    tanhf, allocates nothing, and has no global state. The features of a text or signal are apart: the network reads ids
    or numbers. For a model that reads sound, NAME_listen.h, NAME_listen.c and an example, NAME_listen_main.c, read
    samples, with the same promises.

    Args:
        model: a loaded model or a fitted estimator's `model_`; its network must read forward.
        path: NAME, where to write: "out/spotter" gives out/spotter.h, out/spotter.c and out/spotter_main.c.
        int8: whether weights are rounded to int8 with a scale for each row: about a quarter of the constants.
        data: inputs for the comparison, as the model's `predict` takes them; random ones if None.
        compiler: the C compiler for the comparison; by default cc, gcc or clang, the first that is installed. Without
            any, nothing is compared, and a note says so.
        overwrite: whether files that exist are replaced.

    Returns:
        The files, the difference from the runtime, and in `measures` bytes of constants (flash), state and stack.

    Raises:
        ConfigError: the network cannot be written in C (the message names the part), the name is no identifier, a file
            exists, data were given for a forecaster, or a float32 export's outputs differ from the runtime's by more
            than 1e-5 of their scale.

    Examples:
        >>> import numpy as np
        >>> from penstock.convert import to_c
        >>> from penstock.network import Dense, GraphBuilder, Value
        >>> from penstock.runtime import GraphModel
        >>> builder = GraphBuilder({"x": Value(2)})
        >>> model = GraphModel(*builder.build(builder.add(Dense(2, 1, bias=False), "x", weight=np.ones((1, 2)))))
        >>> [path.name for path in to_c(model, "adder").files]
        ['adder.h', 'adder.c', 'adder_main.c']
    """
    stem = Path(path)
    name = stem.name
    if identifier(name) != name:
        raise ConfigError(f"the name must be an identifier of C, letters, digits and _; got {name!r}")
    exported = of_model(model)
    inputs = None if data is None else encoded(model, exported, data)
    source = translated(exported.graph, exported.tensors, int8=int8)
    contents = files_of(source, name, labels=list(map(str, model.labels)), task=model.task)
    if model.front is not None:
        contents |= listening_files(model.front, source, name)
    targets = {stem.parent / file: content.encode() for file, content in contents.items()}
    check_free(list(targets), overwrite=overwrite)
    measures: dict[str, float | str] = {
        "bytes of constants": source.tables.bytes,
        "bytes of state": source.state_bytes,
        "bytes of stack": source.stack_bytes,
    }
    found = found_compiler(compiler)
    if found is None:
        return Written(write(targets), {}, ("there is no C compiler here, so nothing was compared",), measures)
    loss = compared(contents, name, exported, inputs, found)
    if int8:
        return Written(write(targets), {}, (), measures | _losses(loss))
    errors = {Path(found).name: check(loss.difference, "the source in C")}
    notes: tuple[str, ...] = ()
    if model.front is not None:
        rate = model.sample_rate
        sound = _sound(rate)
        try:
            off = heard(contents, name, exported, sound, encoded(model, exported, [(sound, rate)]), found)
            errors[f"{Path(found).name}, from samples"] = check(off, "what listens in C", most=HEARD)
        except MissingExtraError as error:
            notes = (f"what listens was not compared: {error}",)
    return Written(write(targets), errors, notes, measures)


def _sound(rate: int) -> NDArray[np.int16]:
    """Two seconds of tones and noise that come and go, for the comparison."""
    draw, seconds = np.random.default_rng(0), np.arange(2 * rate) / rate
    tones = sum(np.sin(2 * np.pi * pitch * seconds) for pitch in (220.0, 713.0, rate / 5))
    loudness = np.interp(seconds, np.linspace(0, 2, 9), draw.uniform(0, 0.2, 9) ** 2)
    return ((tones + draw.normal(size=len(seconds))) * loudness * 4000).clip(-32768, 32767).astype(np.int16)


def _losses(loss: Loss) -> dict[str, float | str]:
    return {
        "compared on": f"{loss.sequences} {'random' if loss.random else 'given'} sequences",
        "largest difference": loss.difference,
        "rows with the same largest output": loss.same_choice,
    }
