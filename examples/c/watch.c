/* Reads a sensor's values from standard input, one a line, and prints those that a network did not expect.
   examples/watch_sensor_in_c.py trains and exports the network, which predicts each value from those before it. */
#include "sensor.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

int main(int count, char **arguments)
{
    const float limit = count == 2 ? strtof(arguments[1], NULL) : 5.0f;
    float value, expected[SENSOR_EXPECTED_SIZE] = {0.0f, 1.0f};
    sensor_state state;
    sensor_init(&state);
    for (long line = 1; scanf("%f", &value) == 1; ++line) {
        /* expected holds the next value's mean and standard deviation. */
        const float surprise = fabsf(value - expected[0]) / expected[1];
        if (line > 1 && surprise > limit) {
            printf("%ld %.1f\n", line, (double)surprise);
            value = expected[0]; /* what the network goes on with, or one bad value would spoil the next ones */
        }
        sensor_step(&state, &value, expected);
    }
    return 0;
}
