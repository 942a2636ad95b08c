/* Reads a WAV file (16 bits, one channel) and prints the word in it, by a network that Penstock exported.
   examples/spot_words_in_c.py trains and exports one, writes its features, and compiles this. */
#include "spotter_features.h"
#include "spotter.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Kaldi's log-mel energies of one window of samples, as the model was trained on. */
static void log_mel(const float samples[WINDOW], float energies[BINS])
{
    static float re[FFT], im[FFT];
    float mean = 0.0f;
    memset(re, 0, sizeof re);
    memset(im, 0, sizeof im);
    for (int i = 0; i < WINDOW; ++i)
        mean += samples[i] / WINDOW;
    for (int i = 0; i < WINDOW; ++i) {
        const float before = samples[i > 0 ? i - 1 : 0] - mean;
        re[i] = (samples[i] - mean - PREEMPHASIS * before) * window[i];
    }
    /* A Fourier transform, radix 2: the order of bits reversed, then butterflies. */
    for (int i = 1, j = 0; i < FFT; ++i) {
        int bit = FFT >> 1;
        for (; j & bit; bit >>= 1)
            j ^= bit;
        j ^= bit;
        if (i < j) {
            const float kept = re[i];
            re[i] = re[j];
            re[j] = kept;
        }
    }
    for (int size = 2; size <= FFT; size *= 2)
        for (int k = 0; k < size / 2; ++k) {
            const float c = cosf(-6.28318531f * (float)k / (float)size), s = sinf(-6.28318531f * (float)k / (float)size);
            for (int i = k; i < FFT; i += size) {
                const int j = i + size / 2;
                const float x = re[j] * c - im[j] * s, y = re[j] * s + im[j] * c;
                re[j] = re[i] - x;
                im[j] = im[i] - y;
                re[i] += x;
                im[i] += y;
            }
        }
    for (int bin = 0; bin < BINS; ++bin) {
        float energy = 0.0f;
        for (int k = 0; k < FFT / 2; ++k)
            energy += mel[bin][k] * (re[k] * re[k] + im[k] * im[k]);
        energies[bin] = fmaxf(logf(fmaxf(energy, 1.1920929e-7f)), LOWEST);
    }
}

/* The vector of a frame: its energies scaled as in training, and their changes since CHANGE frames ago. */
static void vector_of(const float samples[WINDOW], float vector[2 * BINS])
{
    static float past[CHANGE][BINS];
    static int frames;
    log_mel(samples, vector);
    for (int bin = 0; bin < BINS; ++bin) {
        const float now = (vector[bin] - band_mean[bin]) * band_scale[bin];
        if (frames == 0)
            for (int ago = 0; ago < CHANGE; ++ago)
                past[ago][bin] = now;
        vector[bin] = now;
        vector[BINS + bin] = now - past[frames % CHANGE][bin];
        past[frames % CHANGE][bin] = now;
    }
    ++frames;
}

int main(int count, char **arguments)
{
    static float samples[WINDOW], vector[2 * BINS], scores[SPOTTER_PROBABILITIES_SIZE];
    spotter_state state;
    unsigned char header[44], bytes[2];
    int held = 0, best = 0;
    FILE *file = count == 2 ? fopen(arguments[1], "rb") : NULL;
    if (file == NULL || fread(header, 1, sizeof header, file) != sizeof header || memcmp(header, "RIFF", 4) != 0) {
        fprintf(stderr, "spot: expected one WAV file: spot word.wav\n");
        return 2;
    }
    spotter_init(&state);
    while (fread(bytes, 1, 2, file) == 2) {
        const int sample = bytes[0] | bytes[1] << 8;
        samples[held++] = (float)(sample < 32768 ? sample : sample - 65536) / 32768.0f;
        if (held < WINDOW)
            continue;
        vector_of(samples, vector);
        spotter_step(&state, vector, scores);
        held -= HOP;
        memmove(samples, samples + HOP, (size_t)held * sizeof *samples);
    }
    fclose(file);
    for (int label = 1; label < SPOTTER_PROBABILITIES_SIZE; ++label)
        best = scores[label] > scores[best] ? label : best;
    printf("%s %.4f\n", spotter_labels[best], (double)scores[best]);
    return 0;
}
