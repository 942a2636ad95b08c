// Sliders and choices, each with its label, and charts with a logarithmic axis.

import { h } from "./elements.js";
import { words } from "./language.js";
import { kind } from "./reader.js";

let made = 0;

/**
 * A labelled slider. say: key of the label. show(value): its value in words. onInput(): it moved.
 * Read it by `.value`; `refresh()` words the value anew.
 */
export class Slider {
  #input;
  #output;
  #show;

  constructor({ say, min = 0, max, step = 1, value, show = String, onInput }) {
    made += 1;
    const id = `slider-${made}`;
    this.#show = show;
    this.#input = h("input", { type: "range", id, min, max, step, value, on: { input: () => { this.refresh(); onInput(); } } });
    this.#output = h("output", { for: id });
    this.node = h("div", { class: "slider" }, h("label", { for: id, say }), this.#output, this.#input);
  }

  get value() {
    return Number(this.#input.value);
  }

  set value(value) {
    this.#input.value = value;
    this.refresh();
  }

  set max(max) {
    this.#input.max = max;
  }

  refresh() {
    const text = this.#show(this.value);
    this.#output.textContent = text;
    this.#input.setAttribute("aria-valuetext", text);
  }
}

/** A text to type; `key` names its first content in each language, kept until the reader types. */
export class Sentence {
  #input;
  #typed = false;
  #key;

  constructor(key, onInput) {
    made += 1;
    const id = `sentence-${made}`;
    this.#key = key;
    this.#input = h("input", { type: "text", id, maxlength: 120, autocomplete: "off", spellcheck: "false", on: { input: () => { this.#typed = true; onInput(); } } });
    this.node = h("div", { class: "sentence" }, h("label", { for: id, say: "sentence" }), this.#input);
  }

  /** Its characters; a space if there are none. */
  get characters() {
    return [...(this.#input.value || " ")];
  }

  /** Show the text of the language, and return whether it is a new one. */
  refresh() {
    const before = this.#input.value;
    if (!this.#typed) this.#input.value = words(this.#key);
    return this.#input.value !== before;
  }

  /** The place of the first opening bracket, from 1; 1 if there is none. */
  get bracket() {
    return this.characters.findIndex((character) => kind(character) === "open") + 1 || 1;
  }
}

/** What a screen reader is told when a figure changes, and everyone reads below it. */
export const readout = () => h("p", { class: "readout", "aria-live": "polite" });

/** Whether the last error of a learning curve, of 1 for guessing, shows that the task was learned. */
export function verdict(curve) {
  const error = curve.at(-1);
  return words(error < 0.1 ? "learned" : error < 0.9 ? "partly" : "notLearned");
}

const RAISED = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };

/** A power of ten as a label: 10⁻⁸. */
export const power = (exponent) => `10${[...String(exponent)].map((digit) => RAISED[digit]).join("")}`;

/** Decimal logarithms within a range; what lies outside is cut off at its edge, and what follows is not drawn. */
export function logs(values, low, high) {
  const found = [];
  for (const value of values) {
    const log = Math.log10(value);
    found.push(Math.min(Math.max(log, low), high));
    if (log < low || log > high) break;
  }
  return found;
}

/** A number for people: 0.12, 35, 10⁻⁹. */
export function plain(value) {
  if (value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e4)) {
    const exponent = Math.floor(Math.log10(Math.abs(value)));
    return `${(value / 10 ** exponent).toFixed(1)} × ${power(exponent)}`;
  }
  return String(Number(value.toPrecision(3))).replace("-", "−");
}
