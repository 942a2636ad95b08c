// Figure 4: the forget gate's bias: what of the gradient it keeps, and whether the network learns.

import { row } from "./arrays.js";
import { sigmoid } from "./cells.js";
import { Chart } from "./chart.js";
import { logs, plain, power, readout, Slider, verdict } from "./controls.js";
import { h } from "./elements.js";
import { words } from "./language.js";

const [LOW, HIGH] = [-12, 2];

export class Forgetting {
  #data;
  #bias;
  #reach;
  #learning;
  #readout = readout();

  constructor(host, { forgetting }) {
    this.#data = forgetting;
    const { biases } = forgetting;
    this.#bias = new Slider({ say: "forgetBias", max: biases.length - 1, value: biases.indexOf(1), show: (n) => plain(biases[n]), onInput: () => this.refresh() });
    const [reach, learning] = [h("div"), h("div")];
    host.append(
      h("div", { class: "controls" }, this.#bias.node), this.#readout,
      h("div", { class: "two" }, h("div", {}, h("p", { class: "small-title", say: "gradientChart" }), reach), h("div", {}, h("p", { class: "small-title", say: "learningChart" }), learning)),
    );
    this.#reach = new Chart(reach, { height: 230, keys: true });
    this.#learning = new Chart(learning, { height: 230 });
    this.refresh();
  }

  refresh() {
    this.#bias.refresh();
    const { biases, every, steps } = this.#data;
    const at = this.#bias.value;
    const gate = sigmoid(biases[at]);
    const reach = row(this.#data.reach, at);
    // From distance 1 on: the step before it goes from the output to the cell state.
    const alone = reach.map((first, distance) => (distance ? reach[1] * gate ** (distance - 1) : first));
    const curve = row(this.#data.curves, at);
    const values = { gate: gate.toFixed(3), half: plain(Math.log(2) / -Math.log(gate)), arrives: plain(gate ** (steps - 1)), steps };
    this.#readout.textContent = words("forgetTold", values) + words("betweenSentences") + verdict(curve);
    this.#reach.set({ x: [0, 99], y: [LOW, HIGH], yName: power, label: words("gradientChart"), lines: [
      { values: logs(reach, LOW, HIGH), class: "s1", name: words("measured") },
      { values: logs(alone, LOW, HIGH), class: "s-other", name: words("gateAlone") },
    ] });
    const others = biases.map((_, n) => ({ values: row(this.#data.curves, n), class: "faint" }));
    this.#learning.set({ x: [0, curve.length - 1], y: [0, 1.1], xName: (n) => String(n * every), label: words("learningChart"), lines: [...others, { values: curve, class: "s1 thick" }] });
  }
}
