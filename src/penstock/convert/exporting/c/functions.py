"""The functions in C that a source may need, each as small as it can be, and what each calls."""

import re

__all__ = ["needed"]

_FUNCTIONS: dict[str, tuple[tuple[str, ...], str]] = {
    "clear": (
        (),
        """static void clear(float *y, size_t size)
{
    for (size_t i = 0; i < size; ++i)
        y[i] = 0.0f;
}
""",
    ),
    "copy": (
        (),
        """static void copy(float *y, const float *x, size_t size)
{
    for (size_t i = 0; i < size; ++i)
        y[i] = x[i];
}
""",
    ),
    "add_product": (
        (),
        """/* y += W x, with W (rows, columns). Four rows at a time share each number of x. */
static void add_product(float *y, const float *w, const float *x, size_t rows, size_t columns)
{
    const size_t fours = rows - rows % 4;
    for (size_t row = 0; row < fours; row += 4, w += 4 * columns) {
        const float *w1 = w + columns, *w2 = w1 + columns, *w3 = w2 + columns;
        float sum0 = y[row], sum1 = y[row + 1], sum2 = y[row + 2], sum3 = y[row + 3];
        for (size_t column = 0; column < columns; ++column) {
            const float value = x[column];
            sum0 += w[column] * value;
            sum1 += w1[column] * value;
            sum2 += w2[column] * value;
            sum3 += w3[column] * value;
        }
        y[row] = sum0;
        y[row + 1] = sum1;
        y[row + 2] = sum2;
        y[row + 3] = sum3;
    }
    for (size_t row = fours; row < rows; ++row, w += columns) {
        float sum = y[row];
        for (size_t column = 0; column < columns; ++column)
            sum += w[column] * x[column];
        y[row] = sum;
    }
}
""",
    ),
    "rounded": (
        (),
        """/* q = x as whole numbers up to `limit` times the scale that is returned. */
static float rounded(short *q, const float *x, size_t size, float limit)
{
    float largest = 0.0f;
    for (size_t i = 0; i < size; ++i) {
        const float value = x[i] < 0.0f ? -x[i] : x[i];
        largest = value > largest ? value : largest;
    }
    if (!(largest > 0.0f)) {
        for (size_t i = 0; i < size; ++i)
            q[i] = 0;
        return 0.0f;
    }
    const float factor = limit / largest;
    for (size_t i = 0; i < size; ++i)
        q[i] = (short)(x[i] * factor + (x[i] < 0.0f ? -0.5f : 0.5f));
    return largest / limit;
}
""",
    ),
    "add_product_int8": (
        ("rounded",),
        """/* y += W x, where row r of W (rows, columns) is scale[r] times whole numbers. x is rounded to whole
   numbers too, up to `limit`, so that a sum fits into 32 bits. */
static void add_product_int8(
    float *y, const signed char *w, const float *scale, const float *x, size_t rows, size_t columns,
    float limit, short *q)
{
    const float unit = rounded(q, x, columns, limit);
    const size_t fours = rows - rows % 4;
    for (size_t row = 0; row < fours; row += 4, w += 4 * columns) {
        const signed char *w1 = w + columns, *w2 = w1 + columns, *w3 = w2 + columns;
        int_least32_t sum0 = 0, sum1 = 0, sum2 = 0, sum3 = 0;
        for (size_t column = 0; column < columns; ++column) {
            const int_least32_t value = q[column];
            sum0 += w[column] * value;
            sum1 += w1[column] * value;
            sum2 += w2[column] * value;
            sum3 += w3[column] * value;
        }
        y[row] += scale[row] * unit * (float)sum0;
        y[row + 1] += scale[row + 1] * unit * (float)sum1;
        y[row + 2] += scale[row + 2] * unit * (float)sum2;
        y[row + 3] += scale[row + 3] * unit * (float)sum3;
    }
    for (size_t row = fours; row < rows; ++row, w += columns) {
        int_least32_t sum = 0;
        for (size_t column = 0; column < columns; ++column)
            sum += w[column] * (int_least32_t)q[column];
        y[row] += scale[row] * unit * (float)sum;
    }
}
""",
    ),
    "lookup": (
        (),
        """/* y = row `id` of the table. */
static void lookup(float *y, const float *w, size_t id, size_t columns)
{
    for (size_t column = 0; column < columns; ++column)
        y[column] = w[id * columns + column];
}
""",
    ),
    "lookup_int8": (
        (),
        """/* y = row `id` of the table, which is scale[id] times whole numbers. */
static void lookup_int8(float *y, const signed char *w, const float *scale, size_t id, size_t columns)
{
    for (size_t column = 0; column < columns; ++column)
        y[column] = scale[id] * (float)w[id * columns + column];
}
""",
    ),
    "sigmoid": (
        (),
        """static float sigmoid(float x)
{
    return 0.5f + 0.5f * tanhf(0.5f * x);
}
""",
    ),
    "softmax": (
        (),
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
    "log_softmax": (
        (),
        """static void log_softmax(float *y, const float *x, size_t size)
{
    float largest = x[0], sum = 0.0f;
    for (size_t i = 1; i < size; ++i)
        largest = x[i] > largest ? x[i] : largest;
    for (size_t i = 0; i < size; ++i)
        sum += expf(x[i] - largest);
    sum = logf(sum);
    for (size_t i = 0; i < size; ++i)
        y[i] = x[i] - largest - sum;
}
""",
    ),
    "lstm": (
        ("sigmoid",),
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
        ("sigmoid",),
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
        ("sigmoid",),
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
        ("sigmoid",),
        """/* reset = sigmoid(reset) * h */
static void gru_reset(float *reset, const float *h, size_t size)
{
    for (size_t i = 0; i < size; ++i)
        reset[i] = sigmoid(reset[i]) * h[i];
}
""",
    ),
    "gru_update": (
        ("sigmoid",),
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
    called |= {other for name in called for other in _FUNCTIONS[name][0]}
    return "\n".join(text for name, (_, text) in _FUNCTIONS.items() if name in called)
