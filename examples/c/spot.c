/* Reads a WAV file (16 bits, one channel) and prints the word in it, by a network that Penstock exported.
   examples/spot_words_in_c.py trains and exports one, and compiles this. */
#include "spotter_listen.h"

#include <stdio.h>
#include <string.h>

int main(int count, char **arguments)
{
    static spotter_listener listener;
    static float scores[SPOTTER_PROBABILITIES_SIZE];
    unsigned char header[44], bytes[2];
    int best = 0, complete;
    FILE *file = count == 2 ? fopen(arguments[1], "rb") : NULL;
    if (file == NULL || fread(header, 1, sizeof header, file) != sizeof header || memcmp(header, "RIFF", 4) != 0) {
        fprintf(stderr, "spot: expected one WAV file: spot word.wav\n");
        return 2;
    }
    spotter_listener_init(&listener);
    while (fread(bytes, 1, 2, file) == 2) {
        const int value = bytes[0] | bytes[1] << 8;
        const float sample = (float)(value < 32768 ? value : value - 65536) / 32768.0f;
        spotter_listen(&listener, &sample, 1, scores, &complete);
    }
    fclose(file);
    for (int label = 1; label < SPOTTER_PROBABILITIES_SIZE; ++label)
        best = scores[label] > scores[best] ? label : best;
    printf("%s %.4f\n", spotter_labels[best], (double)scores[best]);
    return 0;
}
