// Figure 5: how the recurrent matrix starts: its powers' singular values, and learning at growing distance.

import { row } from "./arrays.js";
import { Chart } from "./chart.js";
import { logs, plain, power, readout, Slider } from "./controls.js";
import { h } from "./elements.js";
import { words } from "./language.js";

const LOW = -12;

export class Start {
  #data;
  #power;
  #distance;
  #spectrum;
  #learning;
  #told = [readout(), readout()];

  constructor(host, { start }) {
    this.#data = start;
    this.#power = new Slider({ say: "powerOf", min: 1, max: start.singular.uniform.shape[0], value: 10, show: (steps) => words("stepsLong", { steps }), onInput: () => this.refresh() });
    this.#distance = new Slider({ say: "taskDistance", max: start.distances.length - 1, value: 2, show: (n) => words("stepsLong", { steps: start.distances[n] }), onInput: () => this.refresh() });
    const [spectrum, learning] = [h("div"), h("div")];
    host.append(h("div", { class: "two" },
      h("div", {}, h("div", { class: "controls" }, this.#power.node), h("p", { class: "small-title", say: "spectrumChart" }), spectrum, this.#told[0]),
      h("div", {}, h("div", { class: "controls" }, this.#distance.node), h("p", { class: "small-title", say: "learningChart" }), learning, this.#told[1])));
    this.#spectrum = new Chart(spectrum, { height: 230, keys: true });
    this.#learning = new Chart(learning, { height: 230, keys: true });
    this.refresh();
  }

  refresh() {
    for (const slider of [this.#power, this.#distance]) slider.refresh();
    const { singular, starts, distances, every, curves } = this.#data;
    const steps = this.#power.value;
    const found = { uniform: row(singular.uniform, steps - 1), orthogonal: row(singular.orthogonal, steps - 1) };
    this.#spectrum.set({ x: [0, found.uniform.length - 1], y: [LOW, 1], yName: power, xName: (n) => String(n + 1), label: words("spectrumChart"),
      lines: Object.entries(found).map(([name, values], n) => ({ values: logs(values, LOW, 1), class: `s${n}`, name: words(name) })) });
    this.#told[0].textContent = words("spectrumTold", { steps, largest: plain(found.uniform[0]), smallest: found.uniform.at(-1) < 1e-12 ? words("nothing") : plain(found.uniform.at(-1)) });
    const lines = starts.map((name, n) => ({ name: words(name), class: `s${n}`, values: row(curves, n, this.#distance.value) }));
    const learned = lines.filter(({ values }) => values.at(-1) < 0.1).map(({ name }) => name);
    this.#learning.set({ x: [0, lines[0].values.length - 1], y: [0, 1.2], xName: (n) => String(n * every), label: words("learningChart"), lines: lines.map((line) => ({ ...line, values: line.values.map((value) => Math.min(value, 1.2)) })) });
    this.#told[1].textContent = words("startTold", { steps: distances[this.#distance.value], learned: learned.join(words("comma")) || words("none") });
  }
}
