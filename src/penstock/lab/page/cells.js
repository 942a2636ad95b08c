// One step of an RNN, LSTM (with or without peepholes) or GRU, by the equations in penstock/cells, in 64-bit floats.

/**
 * The course of a layer over a sequence.
 * weights: {weight_ih, weight_hh, bias_ih, bias_hh[, weight_ch]}, each {shape, values}, rows as in PyTorch.
 * inputs: a vector for each step.
 * Returns for each step {h[, c], and the gates by name}, each a vector of all units.
 */
export function course(cell, weights, inputs) {
  const units = weights.weight_hh.shape[1];
  let state = { h: new Float64Array(units), c: new Float64Array(units) };
  return inputs.map((input) => (state = STEPS[cell](weights, input, state, units)));
}

/** Row sums weight · vector + bias. */
export function affine(weight, vector, bias) {
  const columns = weight.shape[1];
  return bias.values.map((sum, row) => {
    for (let column = 0; column < columns; column += 1) sum += weight.values[row * columns + column] * vector[column];
    return sum;
  });
}

export const sigmoid = (a) => 0.5 * (1 + Math.tanh(0.5 * a));

const STEPS = { rnn, lstm, gru };

function rnn(w, x, { h }) {
  const [fromInput, fromState] = [affine(w.weight_ih, x, w.bias_ih), affine(w.weight_hh, h, w.bias_hh)];
  return { h: fromInput.map((a, unit) => Math.tanh(a + fromState[unit])) };
}

function lstm(w, x, { h, c }, units) {
  const [fromInput, fromState] = [affine(w.weight_ih, x, w.bias_ih), affine(w.weight_hh, h, w.bias_hh)];
  const peephole = (row, memory) => (unit) => (w.weight_ch ? w.weight_ch.values[row * units + unit] * memory[unit] : 0);
  const block = (k, squash, seen = () => 0) =>
    Float64Array.from({ length: units }, (_, unit) => squash(fromInput[k * units + unit] + fromState[k * units + unit] + seen(unit)));
  const [input, forget] = [block(0, sigmoid, peephole(0, c)), block(1, sigmoid, peephole(1, c))];
  const candidate = block(2, Math.tanh);
  const memory = c.map((value, unit) => forget[unit] * value + input[unit] * candidate[unit]);
  const output = block(3, sigmoid, peephole(2, memory));
  return { input, forget, candidate, output, c: memory, h: memory.map((value, unit) => output[unit] * Math.tanh(value)) };
}

/** The reset gate comes after the product, as in PyTorch. */
function gru(w, x, { h }, units) {
  const [fromInput, fromState] = [affine(w.weight_ih, x, w.bias_ih), affine(w.weight_hh, h, w.bias_hh)];
  const gate = (k) => Float64Array.from({ length: units }, (_, unit) => sigmoid(fromInput[k * units + unit] + fromState[k * units + unit]));
  const [reset, update] = [gate(0), gate(1)];
  const candidate = Float64Array.from({ length: units }, (_, unit) => Math.tanh(fromInput[2 * units + unit] + reset[unit] * fromState[2 * units + unit]));
  return { reset, update, candidate, h: h.map((old, unit) => (1 - update[unit]) * candidate[unit] + update[unit] * old) };
}
