"""Models of sound in C, from samples to scores: as the runtime hears them, without a memory allocation or a lock."""

import shutil
import subprocess

import numpy as np
import pytest

from penstock.convert import to_c
from penstock.errors import ConfigError
from penstock.network import Network, Numbers, Recurrent
from penstock.sounds.features import AudioFeatures
from penstock.speech.features import SpeechFeatures
from penstock.speech.model import SpeechModel
from penstock.speech.spec import CtcHead

pytestmark = pytest.mark.skipif(not shutil.which("cc"), reason="there is no C compiler here")

COUNTED = """
#include "words_listen.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static long calls;
void *__libc_malloc(size_t);
void *malloc(size_t size) { return ++calls, __libc_malloc(size); }
void *calloc(size_t count, size_t size) { return ++calls, __libc_malloc(count * size); }
void *realloc(void *old, size_t size) { return ++calls, (void)old, __libc_malloc(size); }
int pthread_mutex_lock(pthread_mutex_t *mutex) { return ++calls, (void)mutex, 0; }

int main(void)
{
    static words_listener listener;
    static float samples[97], scores[WORDS_SCORES_SIZE];
    long steps = 0, tokens = 0, before;
    free(malloc(8));
    before = calls;
    words_listener_init(&listener);
    for (int chunk = 0; chunk < 1000; ++chunk) {
        for (int i = 0; i < 97; ++i)
            samples[i] = (float)((chunk * 7919 + i * i * 31) % 997) / 997.0f - 0.5f;
        for (size_t read = 0; read < 97;) {
            int complete;
            read += words_listen(&listener, samples + read, 97 - read, scores, &complete);
            steps += complete;
            tokens += complete && words_token(&listener, scores) ? 1 : 0;
        }
    }
    printf("%ld %ld %ld %ld\\n", before, calls - before, steps, tokens);
    return 0;
}
"""


def recogniser(spoken, *, lookahead=0):
    """A recogniser with random weights, which writes letters all the time."""
    frames = AudioFeatures(mel_bins=8, mean_seconds=1.0, delta_frames=(), window_seconds=0.025, hop_seconds=0.01)
    features = SpeechFeatures.fit(frames, spoken[0][:6], spoken[1], stack=4, subsampling=3)
    recurrent = Recurrent(cell="lstm", input_size=features.size, hidden_size=6)
    network = Network(Numbers(features.size), recurrent, CtcHead(features.outputs, lookahead=lookahead))
    draw, shapes = np.random.default_rng(0), network.parameter_shapes()
    tensors = {
        name: draw.normal(size=shape, scale=3 * (len(shape) > 1)).astype(np.float32) for name, shape in shapes.items()
    }
    return SpeechModel(network, features, [], tensors)


@pytest.fixture(scope="module")
def words(spoken, tmp_path_factory):
    """A recogniser, and what was written for it."""
    model = recogniser(spoken)
    return model, to_c(model, tmp_path_factory.mktemp("c") / "words")


def compiled(folder, *sources):
    subprocess.run(["cc", "-O2", *sources, "words_listen.c", "words.c", "-lm", "-o", "run"], cwd=folder, check=True)
    return folder / "run"


def test_what_is_written_is_what_the_runtime_writes(words, spoken):
    model, written = words
    assert [path.name for path in written.files[3:]] == ["words_listen.h", "words_listen.c", "words_listen_main.c"]
    assert written.errors["cc, from samples"] < 1e-4  # another Fourier transform, of float32 numbers too
    program = compiled(written.files[0].parent, "words_listen_main.c")
    samples = (np.concatenate([each.samples for each in spoken[0][::3]]) * 32767).astype("<i2")
    said = subprocess.run([program], input=samples.tobytes(), capture_output=True, check=True).stdout.decode()
    (expected,) = model.predict([(samples, model.sample_rate)])
    assert len(expected) > 5
    assert " ".join(said.split()) == expected


@pytest.mark.slow
def test_nothing_is_allocated_or_locked(words):
    folder = words[1].files[0].parent
    (folder / "counted.c").write_text(COUNTED)
    found = subprocess.run([compiled(folder, "counted.c")], capture_output=True, text=True, check=True).stdout.split()
    counted, during, steps, tokens = map(int, found)
    assert (counted > 0, during) == (True, 0)
    frames = (97_000 - 200) // 80 + 1
    assert steps == (frames - 4) // 3 + 1
    assert tokens > 10
    subprocess.run(["cc", "-O2", "-c", "words_listen.c", "words.c"], cwd=folder, check=True)
    called = subprocess.run(["nm", "-u", "words_listen.o", "words.o"], cwd=folder, capture_output=True, text=True)
    library = {line.split()[1] for line in called.stdout.splitlines() if line.strip().startswith("U ")}
    assert library - {"words_init", "words_step", "_GLOBAL_OFFSET_TABLE_"} <= {
        "expf", "logf", "tanhf", "memcpy", "memmove", "memset",
    }  # fmt: skip


@pytest.mark.slow
def test_classifiers_of_sound_listen_too(audio_model, tmp_path):
    errors = to_c(audio_model, tmp_path / "spotter").errors
    assert max(errors.values()) < 1e-4
    assert "cc, from samples" in errors


def test_a_look_ahead_is_refused_by_name(spoken, tmp_path):
    with pytest.raises(ConfigError, match="looks 2 steps ahead"):
        to_c(recogniser(spoken, lookahead=2), tmp_path / "words")
