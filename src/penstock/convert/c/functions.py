"""The functions in C that a source may need, each as small as it can be, and what each calls."""

import re

__all__ = ["needed"]

_FUNCTIONS: dict[str, tuple[str, str]] = {
    "clear": (
        "",
        """static void clear(float *y, size_t size)
{
    for (size_t i = 0; i < size; ++i)
        y[i] = 0.0f;
}
""",
    ),
    "copy": (
        "",
        """static void copy(float *y, const float *x, size_t size)
{
    for (size_t i = 0; i < size; ++i)
        y[i] = x[i];
}
""",
    ),
    "add_product": (
        "",
        """/* y += W x, with W (rows, columns). */
static void add_product(float *y, const float *w, const float *x, size_t rows, size_t columns)
{
    for (size_t row = 0; row < rows; ++row) {
        float sum = y[row];
        for (size_t column = 0; column < columns; ++column)
            sum += *w++ * x[column];
        y[row] = sum;
    }
}
""",
    ),
    "add_product_int8": (
        "",
        """/* y += W x, where row r of W (rows, columns) is scale[r] times whole numbers. */
static void add_product_int8(
    float *y, const signed char *w, const float *scale, const float *x, size_t rows, size_t columns)
{
    for (size_t row = 0; row < rows; ++row) {
        float sum = 0.0f;
        for (size_t column = 0; column < columns; ++column)
            sum += (float)*w++ * x[column];
        y[row] += scale[row] * sum;
    }
}
""",
    ),
    "lookup": (
        "",
        """/* y = row `id` of the table. */
static void lookup(float *y, const float *w, size_t id, size_t columns)
{
    for (size_t column = 0; column < columns; ++column)
        y[column] = w[id * columns + column];
}
""",
    ),
    "lookup_int8": (
        "",
        """/* y = row `id` of the table, which is scale[id] times whole numbers. */
static void lookup_int8(float *y, const signed char *w, const float *scale, size_t id, size_t columns)
{
    for (size_t column = 0; column < columns; ++column)
        y[column] = scale[id] * (float)w[id * columns + column];
}
""",
    ),
    "sigmoid": (
        "",
        """static float sigmoid(float x)
{
    return 0.5f + 0.5f * tanhf(0.5f * x);
}
""",
    ),
    "softmax": (
        "",
        """static void softmax(float *y, const float *x, size_t size)
{
    float largest = x[0], sum = 0.0f;
    for (size_t i = 1; i < size; ++i)
        largest = x[i] > largest ? x[i] : largest;
    for (size_t i = 0; i < size; ++i) {
        y[i] = expf(x[i] - largest);
        sum += y[i];
    }
    for (size_t i = 0; i < size; ++i)
        y[i] /= sum;
}
""",
    ),
    "lstm": (
        "sigmoid",
        """/* Gates and states of an LSTM: `gates` holds input, forget, cell and output before their functions. */
static void lstm(float *h, float *c, const float *gates, size_t size)
{
    for (size_t i = 0; i < size; ++i) {
        c[i] = sigmoid(gates[size + i]) * c[i] + sigmoid(gates[i]) * tanhf(gates[2 * size + i]);
        h[i] = sigmoid(gates[3 * size + i]) * tanhf(c[i]);
    }
}
""",
    ),
    "lstm_peephole": (
        "sigmoid",
        """/* As above, where the gates also read the cell state: `peephole` holds input, forget and output. */
static void lstm_peephole(float *h, float *c, const float *gates, const float *peephole, size_t size)
{
    for (size_t i = 0; i < size; ++i) {
        const float input = sigmoid(gates[i] + peephole[i] * c[i]);
        const float forget = sigmoid(gates[size + i] + peephole[size + i] * c[i]);
        c[i] = forget * c[i] + input * tanhf(gates[2 * size + i]);
        h[i] = sigmoid(gates[3 * size + i] + peephole[2 * size + i] * c[i]) * tanhf(c[i]);
    }
}
""",
    ),
    "gru": (
        "sigmoid",
        """/* State of a GRU whose reset gate applies after the product: `x` and `s` hold reset, update, candidate. */
static void gru(float *h, const float *x, const float *s, size_t size)
{
    for (size_t i = 0; i < size; ++i) {
        const float reset = sigmoid(x[i] + s[i]), update = sigmoid(x[size + i] + s[size + i]);
        const float candidate = tanhf(x[2 * size + i] + reset * s[2 * size + i]);
        h[i] = (1.0f - update) * candidate + update * h[i];
    }
}
""",
    ),
    "gru_reset": (
        "sigmoid",
        """/* reset = sigmoid(reset) * h */
static void gru_reset(float *reset, const float *h, size_t size)
{
    for (size_t i = 0; i < size; ++i)
        reset[i] = sigmoid(reset[i]) * h[i];
}
""",
    ),
    "gru_update": (
        "sigmoid",
        """/* State of a GRU whose reset gate applies before the product, which `gates` contains. */
static void gru_update(float *h, const float *gates, size_t size)
{
    for (size_t i = 0; i < size; ++i) {
        const float update = sigmoid(gates[size + i]);
        h[i] = (1.0f - update) * tanhf(gates[2 * size + i]) + update * h[i];
    }
}
""",
    ),
}


def needed(body: str) -> str:
    """Return the functions that the body calls, each before those that call it."""
    called = {name for name in _FUNCTIONS if re.search(rf"\b{name}\(", body)}
    called |= {_FUNCTIONS[name][0] for name in called}
    return "\n".join(text for name, (_, text) in _FUNCTIONS.items() if name in called)
