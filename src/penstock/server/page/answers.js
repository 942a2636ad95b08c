// The prediction of a classifier: a bar for each class at one step, and a line for each class over all steps.

import { Chart } from "./chart.js";
import { series } from "./colours.js";
import { h } from "./elements.js";
import { percent, words } from "./words.js";

const MOST = 6; // the number of colours that people with colour blindness can distinguish

export class Answers {
  #labels;
  #bars = h("ul", { class: "bars" });
  #hidden = h("p", { class: "quiet small others" });
  #chart;
  #chartWords;

  /** labels: the classes as strings. chartWords: the text key of the chart. onPick(step), aligned: see `Chart`. */
  constructor(labels, { chartWords, onPick, height, aligned }) {
    this.#labels = labels;
    this.#chartWords = chartWords;
    const host = h("div");
    this.#chart = new Chart(host, { height, onPick, aligned });
    this.bars = h("div", {}, this.#bars, this.#hidden);
    this.lines = host;
  }

  /**
   * history: [{label: p}], one for each step, the first at `from`. at: the index to mark; now: the values of the bars,
   * by default those at `at`. xName: see `Chart`.
   */
  set(history, { at = history.length - 1, now = history[at], from = 0, xName, last } = {}) {
    const shown = this.#shown(history);
    this.#bars.replaceChildren(...shown.map((label, n) => barOf(label, now?.[label] ?? null, series(n))));
    const hidden = this.#labels.length - shown.length;
    this.#hidden.hidden = !hidden;
    this.#hidden.textContent = hidden ? words("othersHidden", { shown: shown.length, count: this.#labels.length, hidden }) : "";
    this.#chart.set({
      x: [from, Math.max(last ?? 0, from + history.length - 1, from + 1)],
      y: [0, 1],
      yName: (p) => `${Math.round(100 * p)}%`,
      xName,
      lines: shown.map((label, n) => ({ values: history.map((row) => row[label]), from, class: series(n), name: label })),
      marks: history.length ? [{ x: from + at }] : [],
      label: words(this.#chartWords),
    });
  }

  /** All classes; if there are many, those that were most likely at some step, by highest probability. */
  #shown(history) {
    if (this.#labels.length <= MOST) return this.#labels;
    const best = new Map(this.#labels.map((label) => [label, Math.max(0, ...history.map((row) => row[label]))]));
    return [...this.#labels].sort((a, b) => best.get(b) - best.get(a)).slice(0, MOST);
  }
}

/** A row of a list of class "bars": a name, its probability as a bar of a colour's class and as text; null if unknown. */
export function barOf(name, p, colour) {
  const fill = h("span", { class: `fill ${colour}` });
  fill.style.width = `${100 * (p ?? 0)}%`;
  const text = p === null ? "–" : percent(p);
  return h("li", { "aria-label": words("probabilityOf", { label: name, p: text }), "data-label": name },
    h("span", { class: "bar-name", text: name, title: name }), h("span", { class: "bar", "aria-hidden": "true" }, fill), h("output", { class: "bar-value", text }));
}

/** The most likely label of {label: p}. */
export const likeliest = (probabilities, labels) => labels.reduce((best, label) => (probabilities[label] > probabilities[best] ? label : best));
