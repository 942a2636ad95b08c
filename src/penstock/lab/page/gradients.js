// Figure 3: how much of the gradient arrives, by distance, for an RNN, an LSTM and a GRU.

import { row } from "./arrays.js";
import { Chart } from "./chart.js";
import { logs, plain, power, readout, Slider } from "./controls.js";
import { h } from "./elements.js";
import { words } from "./language.js";

const [LOW, HIGH] = [-12, 6];

export class Gradients {
  #data;
  #scale;
  #bias;
  #distance = new Slider({ say: "distance", min: 1, max: 99, value: 50, show: (steps) => words("stepsBack", { steps }), onInput: () => this.refresh() });
  #chart;
  #readout = readout();

  constructor(host, { gradients }) {
    this.#data = gradients;
    const { scales, biases } = gradients;
    this.#scale = new Slider({ say: "scale", max: scales.length - 1, value: scales.indexOf(0.7), show: (n) => plain(scales[n]), onInput: () => this.refresh() });
    this.#bias = new Slider({ say: "gateBias", max: biases.length - 1, value: 2, show: (n) => plain(biases[n]), onInput: () => this.refresh() });
    const chart = h("div");
    host.append(h("div", { class: "controls" }, this.#scale.node, this.#bias.node, this.#distance.node), h("p", { class: "small-title", say: "gradientChart" }), chart, this.#readout);
    this.#chart = new Chart(chart, { height: 280, keys: true });
    this.refresh();
  }

  refresh() {
    for (const slider of [this.#scale, this.#bias, this.#distance]) slider.refresh();
    const [scale, bias, distance] = [this.#scale.value, this.#bias.value, this.#distance.value];
    const found = { rnn: row(this.#data.rnn, scale), lstm: row(this.#data.lstm, scale, bias), gru: row(this.#data.gru, scale, bias) };
    const lines = Object.entries(found).map(([cell, values], n) => ({ values: logs(values, LOW, HIGH), class: `s${n}`, name: words(cell) }));
    const told = Object.fromEntries(Object.entries(found).map(([cell, values]) => [cell, values[distance] < 2e-30 ? words("nothing") : plain(values[distance])]));
    this.#readout.textContent = words("gradientTold", { distance, ...told });
    this.#chart.set({ x: [0, 99], y: [LOW, HIGH], lines, marks: [{ x: distance }], yName: power, label: words("gradientChart") });
  }
}
