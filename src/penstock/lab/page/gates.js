// Figure 2: the gates of an LSTM and a GRU that read a text: all units in a heat map, one unit in charts and in words.

import { Chart } from "./chart.js";
import { against, onScheme, series } from "./colours.js";
import { readout, Sentence, Slider } from "./controls.js";
import { choose, h, segmented } from "./elements.js";
import { HeatMap, legend } from "./heatmap.js";
import { words } from "./language.js";
import { read } from "./reader.js";

const GATES = { lstm: ["forget", "input", "output"], gru: ["update", "reset"] };
const STATES = { lstm: ["c", "candidate", "h"], gru: ["h", "candidate"] };

export class Gates {
  #networks;
  #cell = "lstm";
  #steps = [];
  #sentence = new Sentence("sentenceGates", () => this.refresh());
  #cells = segmented("gates-cell", "cell", [["lstm", "lstm"], ["gru", "gru"]], (cell) => { this.#cell = cell; this.#first(); });
  #what = h("select", { id: "gates-what", on: { change: () => this.refresh() } });
  #unit = new Slider({ say: "unit", min: 0, max: 7, value: 0, onInput: () => this.#describe() });
  #step = new Slider({ say: "step", min: 1, max: 1, value: 1, show: (step) => words("stepOf", { step, steps: this.#steps.length }), onInput: () => this.#describe() });
  #map;
  #scale = h("div");
  #readout = readout();
  #gateChart;
  #stateChart;
  #openChart;

  constructor(host, { brackets }) {
    this.#networks = brackets;
    const [map, gates, states, open] = [h("div", { class: "map" }), h("div"), h("div"), h("div")];
    const picked = (step) => { this.#step.value = step + 1; this.#describe(); };
    this.#map = new HeatMap(map, { height: 250, onPick: (step, unit) => { this.#unit.value = unit; picked(step); } });
    const field = h("div", { class: "field" }, h("label", { for: "gates-what", say: "show" }), this.#what);
    host.append(
      this.#sentence.node, h("div", { class: "controls" }, this.#cells, field), this.#scale, map,
      h("div", { class: "controls" }, this.#unit.node, this.#step.node), this.#readout,
      h("p", { class: "small-title", say: "gatesChart" }), gates, h("p", { class: "small-title", say: "statesChart" }), states,
      h("p", { class: "small-title", say: "openChart" }), open,
    );
    this.#gateChart = new Chart(gates, { height: 140, keys: true, aligned: true, onPick: picked });
    this.#stateChart = new Chart(states, { height: 140, keys: true, aligned: true, onPick: picked });
    this.#openChart = new Chart(open, { height: 90, keys: true, aligned: true, onPick: picked });
    onScheme(() => this.refresh());
    this.#first();
  }

  /** Show the unit that follows the brackets most closely. */
  #first() {
    this.#unit.value = this.#networks[this.#cell].unit;
    this.refresh();
  }

  refresh() {
    const isNew = this.#sentence.refresh();
    const names = [...GATES[this.#cell], ...STATES[this.#cell]];
    this.#steps = read(this.#networks, this.#cell, this.#sentence.characters);
    this.#step.max = this.#steps.length;
    if (isNew) this.#step.value = this.#sentence.bracket;
    this.#step.refresh();
    choose(this.#what, names.map((name) => ({ value: name, text: this.#nameOf(name) })));
    const name = this.#what.value;
    const isGate = GATES[this.#cell].includes(name);
    const most = Math.max(1, ...this.#steps.flatMap((step) => [...step[name]].map(Math.abs)));
    const colour = (value) => against(isGate ? 2 * value - 1 : value / most);
    this.#scale.replaceChildren(isGate ? legend(against, `0 ${words("closed")}`, `1 ${words("opened")}`) : legend(against, `−${most.toFixed(1)}`, `+${most.toFixed(1)}`));
    this.#map.node.setAttribute("aria-label", words("gatesMap", { what: this.#nameOf(name) }));
    this.#map.set({ columns: this.#sentence.characters.map((character) => (character === " " ? "␣" : character)), order: [0, 1, 2, 3, 4, 5, 6, 7], value: (step, unit) => this.#steps[step][name][unit], colour });
    this.#describe();
  }

  #describe() {
    const [at, unit] = [this.#step.value - 1, this.#unit.value];
    const step = this.#steps[at];
    const old = at ? this.#steps[at - 1] : { c: new Float64Array(8), h: new Float64Array(8) };
    const share = (name) => `${Math.round(100 * step[name][unit])}%`;
    const number = (value) => value.toFixed(2).replace("-", "−");
    const memory = this.#cell === "lstm" ? "c" : "h";
    const values = { character: this.#sentence.characters[at], unit, candidate: number(step.candidate[unit]), before: number(old[memory][unit]), after: number(step[memory][unit]) };
    if (this.#cell === "lstm") Object.assign(values, { forget: share("forget"), input: share("input"), output: share("output") });
    else Object.assign(values, { update: share("update"), rest: `${Math.round(100 * (1 - step.update[unit]))}%`, reset: share("reset") });
    this.#readout.textContent = words(this.#cell === "lstm" ? "lstmTold" : "gruTold", values);
    this.#map.point(at, unit);
    const line = (name, n) => ({ values: this.#steps.map((each) => each[name][unit]), class: series(n), name: this.#nameOf(name) });
    const most = Math.max(1, ...STATES[this.#cell].flatMap((name) => this.#steps.map((each) => Math.abs(each[name][unit]))));
    const shared = { x: [0, Math.max(this.#steps.length - 1, 1)], xName: (n) => String(n + 1), marks: [{ x: at }] };
    this.#gateChart.set({ ...shared, y: [0, 1], lines: GATES[this.#cell].map(line), label: words("gatesChart") });
    this.#stateChart.set({ ...shared, y: [-most, most], lines: STATES[this.#cell].map((name, n) => line(name, n + 3)), label: words("statesChart") });
    this.#openChart.set({ ...shared, y: [0, 1], lines: [{ values: this.#steps.map((each) => each.open), class: "ink", name: words("openName") }], label: words("openChart") });
  }

  #nameOf(name) {
    return words(name === "h" && this.#cell === "gru" ? "hGru" : name);
  }
}
