// The mel spectrogram of a sound, computed in the browser from its samples.

import { against } from "./colours.js";
import { h } from "./elements.js";

const BANDS = 48;
const WINDOW_SECONDS = 0.025;
const STEP_SECONDS = 0.01;
const RANGE = 70; // decibels from the darkest to the brightest colour

/** Loudness (frames of BANDS numbers, in decibels) on the mel scale, low frequencies first. */
export function melBands(samples, rate) {
  const length = Math.round(WINDOW_SECONDS * rate);
  const step = Math.round(STEP_SECONDS * rate);
  const size = 2 ** Math.ceil(Math.log2(length));
  const filters = melFilters(size, rate);
  const window = Float64Array.from({ length }, (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / (length - 1)));
  const frames = [];
  for (let start = 0; start + length <= samples.length; start += step) {
    const real = new Float64Array(size);
    const imaginary = new Float64Array(size);
    for (let n = 0; n < length; n += 1) real[n] = samples[start + n] * window[n];
    fourier(real, imaginary);
    frames.push(filters.map((filter) => {
      let energy = 0;
      for (const [bin, weight] of filter) energy += weight * (real[bin] ** 2 + imaginary[bin] ** 2);
      return 10 * Math.log10(energy + 1e-10);
    }));
  }
  return frames;
}

/** Triangular filters on the mel scale (O'Shaughnessy 1987): [[bin, weight], ...] for each band. */
function melFilters(size, rate) {
  const mel = (hertz) => 2595 * Math.log10(1 + hertz / 700);
  const top = mel(rate / 2);
  const bin = (n) => ((700 * (10 ** ((top * n) / (BANDS + 1) / 2595) - 1)) * size) / rate;
  return Array.from({ length: BANDS }, (_, band) => {
    const [low, middle, high] = [bin(band), bin(band + 1), bin(band + 2)];
    const weights = [];
    for (let k = Math.ceil(low); k <= Math.floor(high); k += 1) {
      const weight = Math.min((k - low) / (middle - low), (high - k) / (high - middle));
      if (weight > 0) weights.push([k, weight]);
    }
    return weights.length ? weights : [[Math.round(middle), 1]];
  });
}

/** The discrete Fourier transform in place; the length must be a power of two (Cooley and Tukey 1965). */
export function fourier(real, imaginary) {
  const size = real.length;
  for (let i = 1, j = 0; i < size; i += 1) {
    let bit = size >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [real[i], real[j]] = [real[j], real[i]];
      [imaginary[i], imaginary[j]] = [imaginary[j], imaginary[i]];
    }
  }
  for (let span = 2; span <= size; span *= 2) {
    for (let k = 0; k < span / 2; k += 1) {
      const [c, s] = [Math.cos((-2 * Math.PI * k) / span), Math.sin((-2 * Math.PI * k) / span)];
      for (let i = k; i < size; i += span) {
        const j = i + span / 2;
        const [x, y] = [real[j] * c - imaginary[j] * s, real[j] * s + imaginary[j] * c];
        [real[j], imaginary[j]] = [real[i] - x, imaginary[i] - y];
        [real[i], imaginary[i]] = [real[i] + x, imaginary[i] + y];
      }
    }
  }
}

/** An image of `melBands`: time to the right, frequency upwards. */
export class Spectrogram {
  #canvas = h("canvas", { class: "spectrogram", role: "img", sayLabel: "spectrogramLabel", width: 1, height: BANDS });

  get node() {
    return this.#canvas;
  }

  /** frames: the result of `melBands`. columns: the number of columns that the time axis covers. */
  set(frames, columns) {
    this.#canvas.width = Math.max(columns, frames.length, 1);
    const pen = this.#canvas.getContext("2d");
    const image = pen.createImageData(this.#canvas.width, BANDS);
    const loudest = frames.reduce((most, frame) => Math.max(most, ...frame), -60);
    frames.forEach((frame, column) => frame.forEach((level, band) => {
      const share = Math.max(0, 1 - (loudest - level) / RANGE);
      const [r, g, b] = against(share ** 1.5);
      image.data.set([r, g, b, 255], 4 * ((BANDS - 1 - band) * image.width + column));
    }));
    pen.putImageData(image, 0, 0);
  }
}
