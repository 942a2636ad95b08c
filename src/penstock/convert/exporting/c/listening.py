"""Samples to scores in C: log-mel energies, stacked to steps, around the network's step."""

import numpy as np

from penstock import __version__
from penstock.convert.exporting.c.source import Source, identifier
from penstock.convert.exporting.c.tables import Tables
from penstock.convert.exporting.c.written import indented, string
from penstock.errors import ConfigError
from penstock.sounds.features import FLOOR, QUIETEST
from penstock.sounds.front import ENERGY_FLOOR, PREEMPHASIS, SoundFront, band_weights, window_shape

__all__ = ["listening_files"]


def listening_files(front: SoundFront, source: Source, name: str) -> dict[str, str]:
    """Return the contents of NAME_listen.h, NAME_listen.c and NAME_listen_main.c by file name.

    Args:
        front: how samples become steps.
        source: the translated network.
        name: as for the network's files.

    Raises:
        ConfigError: the network has several inputs or outputs, or its input is of another size than a step.
    """
    graph, size = source.graph, front.frames.size * front.stack
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        raise ConfigError(f"a network that listens must have one input and one output; got {graph.inputs}")
    if graph.values[next(iter(graph.inputs))].size != size:
        raise ConfigError(f"the network must read {size} numbers a step, as its features make them")
    scores = f"{name.upper()}_{identifier(graph.outputs[0]).upper()}_SIZE"
    return {
        f"{name}_listen.h": _header(front, name, scores),
        f"{name}_listen.c": _source(front, name, scores),
        f"{name}_listen_main.c": _main(front, name, scores),
    }


def _memory(front: SoundFront) -> dict[str, int]:
    """The numbers that are kept between samples besides the network's state: name and size."""
    frames = front.frames
    past = max(frames.delta_frames, default=0) * frames.mel_bins
    found = {"samples": frames.window, "steps": front.stack * frames.size}
    return found | ({"running": frames.mel_bins} if frames.mean_share else {}) | ({"past": past} if past else {})


def _counts(front: SoundFront) -> list[str]:
    """The whole numbers that are kept: samples and frames that wait, the last token, frames that were read."""
    return ["held", "waiting", *(["before"] if front.tokens else []), *(["age"] if front.frames.delta_frames else [])]


def _header(front: SoundFront, name: str, scores: str) -> str:
    upper, fields = name.upper(), "\n".join(f"    float {each}[{size}];" for each, size in _memory(front).items())
    token = f"""
/* The texts of the tokens, by the number of their score; that of the blank is empty. */
extern const char *const {name}_tokens[{scores}];

/* Return the number of the token that begins at a step with these scores; 0 if none does. */
size_t {name}_token({name}_listener *listener, const float *scores);
"""
    return f"""/* {name}_listen.h: reads samples, and gives the network's scores. Written by Penstock {__version__}.

   Nothing here allocates, locks or waits: it may run in a sound callback.
   Samples: one channel, {front.frames.rate} Hz, from -1 to 1.
*/
#ifndef {upper}_LISTEN_H
#define {upper}_LISTEN_H

#include "{name}.h"

#define {upper}_SAMPLE_RATE {front.frames.rate}

/* What is remembered between samples. It may be copied, saved and restored as bytes. */
typedef struct {{
    {name}_state network;
{fields}
    size_t {", ".join(_counts(front))};
}} {name}_listener;

#ifdef __cplusplus
extern "C" {{
#endif

/* Begin a sound. */
void {name}_listener_init({name}_listener *listener);

/* Read samples until a step is complete, or all are read; return how many were read. *complete is 1 if there are new
   scores, and else 0. */
size_t {name}_listen(
    {name}_listener *listener, const float *samples, size_t count, float scores[{scores}], int *complete);
{token if front.tokens else ""}
#ifdef __cplusplus
}}
#endif

#endif
"""


def _tables(front: SoundFront, fourier: int) -> Tables:
    """The constants: a window, the turns of a Fourier transform, the bands' weights, and the scale of the features."""
    tables, frames = Tables(), front.frames
    tables.vector("window", window_shape(frames.window).astype(np.float32))
    turns = 2 * np.pi * np.arange(fourier // 2) / fourier
    tables.vector("turn_re", np.cos(turns).astype(np.float32))
    tables.vector("turn_im", (-np.sin(turns)).astype(np.float32))
    weights = band_weights(frames, fourier)
    used = [np.flatnonzero(row) for row in weights]
    tables.counts("band_first", [int(places[0]) if len(places) else 0 for places in used])
    tables.counts("band_size", [len(places) for places in used])
    tables.vector("band_weight", np.concatenate([*(row[row > 0] for row in weights), [0.0]]).astype(np.float32))
    mean, scale = frames.scale
    tables.vector("mean", mean)
    tables.vector("scale", scale)
    return tables


def _source(front: SoundFront, name: str, scores: str) -> str:
    frames = front.frames
    fourier = 1 << (frames.window - 1).bit_length()
    tokens = f"const char *const {name}_tokens[{scores}] = {{{', '.join(map(string, front.tokens))}}};\n"
    numbers = {
        "WINDOW": frames.window,
        "HOP": frames.hop,
        "FOURIER": fourier,
        "BANDS": frames.mel_bins,
        "FRAME": frames.size,
        "STACK": front.stack,
        "SUBSAMPLING": front.subsampling,
    }
    parts = [
        f'#include "{name}_listen.h"\n\n#include <math.h>\n',
        "".join(f"#define {each} {value}\n" for each, value in numbers.items()),
        *_tables(front, fourier).text,
        *([tokens] if front.tokens else []),
        _LOG_MEL,
        _frame(front, name),
        _listen(front, name, scores),
        *([_token(name, scores)] if front.tokens else []),
    ]
    return "\n".join(parts)


_LOG_MEL = f"""/* The Fourier transform of FOURIER complex numbers, in place: radix 2. */
static void transform(float *re, float *im)
{{
    for (size_t i = 1, j = 0; i < FOURIER; ++i) {{
        size_t bit = FOURIER >> 1;
        for (; j & bit; bit >>= 1)
            j ^= bit;
        j ^= bit;
        if (i < j) {{
            const float a = re[i], b = im[i];
            re[i] = re[j];
            im[i] = im[j];
            re[j] = a;
            im[j] = b;
        }}
    }}
    for (size_t half = 1; half < FOURIER; half *= 2)
        for (size_t start = 0; start < FOURIER; start += 2 * half)
            for (size_t k = 0; k < half; ++k) {{
                const size_t turn = k * (FOURIER / 2 / half), i = start + k, j = i + half;
                const float a = re[j] * turn_re[turn] - im[j] * turn_im[turn];
                const float b = re[j] * turn_im[turn] + im[j] * turn_re[turn];
                re[j] = re[i] - a;
                im[j] = im[i] - b;
                re[i] += a;
                im[i] += b;
            }}
}}

/* Kaldi's log-mel energies of a window of samples. */
static void log_mel(float *energies, const float *samples)
{{
    float re[FOURIER], im[FOURIER], level = 0.0f;
    const float *weight = band_weight;
    for (size_t i = 0; i < WINDOW; ++i)
        level += samples[i];
    level /= (float)WINDOW;
    for (size_t i = 0; i < FOURIER; ++i)
        re[i] = im[i] = 0.0f;
    for (size_t i = 0; i < WINDOW; ++i) {{
        const float before = samples[i > 0 ? i - 1 : 0] - level;
        re[i] = (samples[i] - level - {PREEMPHASIS}f * before) * window[i];
    }}
    transform(re, im);
    for (size_t band = 0; band < BANDS; ++band) {{
        float energy = 0.0f;
        for (size_t k = band_first[band]; k < (size_t)band_first[band] + band_size[band]; ++k)
            energy += *weight++ * (re[k] * re[k] + im[k] * im[k]);
        energy = logf(energy > {ENERGY_FLOOR}f ? energy : {ENERGY_FLOOR}f);
        energies[band] = energy > {FLOOR}f ? energy : {FLOOR}f;
    }}
}}
"""


_RUNNING = """    for (size_t band = 0; band < BANDS; ++band) {{
        const float heard = now[band] > {quietest}f ? now[band] : {quietest}f;
        listener->running[band] += {share:.9g}f * (heard - listener->running[band]);
        now[band] -= listener->running[band];
    }}
"""

_CHANGES = """    if (listener->age == 0)
        for (size_t i = 0; i < {longest} * BANDS; ++i)
            listener->past[i] = now[i % BANDS];
    for (size_t band = 0; band < BANDS; ++band) {{
{changes}
        listener->past[listener->age % {longest} * BANDS + band] = now[band];
    }}
    listener->age = listener->age + 1 < {twice} ? listener->age + 1 : {longest};
"""


def _frame(front: SoundFront, name: str) -> str:
    """The features of a frame, scaled as in training, relative to their running mean, and their changes."""
    share, deltas = front.frames.mean_share, front.frames.delta_frames
    longest = max(deltas, default=0)
    changes = "\n".join(
        f"        now[{place} * BANDS + band] = now[band] - "
        f"listener->past[(listener->age + {longest - ago}) % {longest} * BANDS + band];"
        for place, ago in enumerate(deltas, start=1)
    )
    running = _RUNNING.format(quietest=QUIETEST, share=np.float32(share)) if share else ""
    past = _CHANGES.format(longest=longest, twice=2 * longest, changes=changes) if deltas else ""
    return f"""/* Put the features of the window of samples behind those of the frames that wait. */
static void add_frame({name}_listener *listener)
{{
    float *now = listener->steps + listener->waiting * FRAME;
    log_mel(now, listener->samples);
    for (size_t band = 0; band < BANDS; ++band)
        now[band] = (now[band] - mean[band]) * scale[band];
{running}{past}    ++listener->waiting;
}}
"""


def _moved(array: str, kept: int, places: str) -> str:
    """Move the last numbers of an array of a listener to its begin; nothing if none are kept."""
    move = f"listener->{array}[i] = listener->{array}[i + {places}];"
    return f"        for (size_t i = 0; i < {kept}; ++i)\n            {move}\n" if kept else ""


def _listen(front: SoundFront, name: str, scores: str) -> str:
    frames = front.frames
    fields = "".join(
        f"    for (size_t i = 0; i < {size}; ++i)\n        listener->{each}[i] = 0.0f;\n"
        for each, size in _memory(front).items()
    )
    counts = "".join(f"    listener->{each} = 0;\n" for each in _counts(front))
    return f"""void {name}_listener_init({name}_listener *listener)
{{
    {name}_init(&listener->network);
{fields}{counts}}}

size_t {name}_listen(
    {name}_listener *listener, const float *samples, size_t count, float scores[{scores}], int *complete)
{{
    size_t read = 0;
    *complete = 0;
    while (read < count && !*complete) {{
        listener->samples[listener->held++] = samples[read++];
        if (listener->held < WINDOW)
            continue;
        add_frame(listener);
        listener->held = WINDOW - HOP;
{_moved("samples", frames.window - frames.hop, "HOP")}        if (listener->waiting < STACK)
            continue;
        {name}_step(&listener->network, listener->steps, scores);
        listener->waiting = STACK - SUBSAMPLING;
{_moved("steps", (front.stack - front.subsampling) * frames.size, "SUBSAMPLING * FRAME")}        *complete = 1;
    }}
    return read;
}}
"""


def _token(name: str, scores: str) -> str:
    return f"""size_t {name}_token({name}_listener *listener, const float *scores)
{{
    size_t best = 0;
    for (size_t i = 1; i < {scores}; ++i)
        best = scores[i] > scores[best] ? i : best;
    const size_t token = best != listener->before ? best : 0;
    listener->before = best;
    return token;
}}
"""


def _main(front: SoundFront, name: str, scores: str) -> str:
    rate = front.frames.rate
    shown = f"""for (size_t i = 0; i < {scores}; ++i)
    printf("%.9g%c", (double)scores[i], i + 1 < {scores} ? ' ' : '\\n');"""
    if front.tokens:
        shown = f"""const char *text = {name}_tokens[{name}_token(&listener, scores)];
if (count == 1) {{
    fputs(text, stdout);
    fflush(stdout);
    continue;
}}
{shown}"""
    what = "what is said; with any argument, the scores of each step" if front.tokens else "the scores of each step"
    return f"""/* {name}_listen_main.c: reads 16-bit little-endian samples, one channel, {rate} Hz, from standard input,
   and prints {what}.

   cc -std=c99 -O2 {name}_listen_main.c {name}_listen.c {name}.c -lm -o {name}_listen
   arecord -q -t raw -f S16_LE -c 1 -r {rate} | ./{name}_listen */
#include "{name}_listen.h"

#include <stdio.h>

int main({"int count, char **arguments" if front.tokens else "void"})
{{
    static {name}_listener listener;
    static unsigned char bytes[320];
    static float samples[160], scores[{scores}];
    size_t got;
{"    (void)arguments;" if front.tokens else ""}
    {name}_listener_init(&listener);
    while ((got = fread(bytes, 2, 160, stdin)) > 0) {{
        for (size_t i = 0; i < got; ++i) {{
            const int sample = bytes[2 * i] | bytes[2 * i + 1] << 8;
            samples[i] = (float)(sample < 32768 ? sample : sample - 65536) / 32768.0f;
        }}
        for (size_t read = 0; read < got;) {{
            int complete;
            read += {name}_listen(&listener, samples + read, got - read, scores, &complete);
            if (!complete)
                continue;
{indented([shown], 3)}
        }}
    }}
    return 0;
}}
"""
