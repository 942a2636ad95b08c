// Gates and states of every unit at every step: a heat map of all units, and a chart of one unit.

import { Chart } from "./chart.js";
import { against, onScheme, series } from "./colours.js";
import { choose, h } from "./elements.js";
import { HeatMap, legend } from "./heatmap.js";
import { speak, words } from "./words.js";

const GATES = ["input", "forget", "output", "reset", "update"]; // between 0 and 1; all other values are around 0

/** Text keys for networks that read text, or steps of numbers. */
const OF_WORDS = { lead: "insideWords", empty: "emptyWords", map: "mapWords", cell: "cellWords", unit: "unitWords" };
export const OF_TOKENS = { ...OF_WORDS, lead: "insideTokens" };
export const OF_STEPS = { lead: "insideSteps", empty: "emptySteps", map: "mapSteps", cell: "cellSteps", unit: "unitSteps" };

export class Inside {
  #steps = [];
  #map;
  #layer = h("select");
  #what = h("select");
  #order = h("select");
  #legend = h("div");
  #readout = h("p", { class: "readout", "aria-live": "polite" });
  #title = h("h3");
  #gates = h("div");
  #states = h("div");
  #full = h("div", { class: "inside" });
  #empty;
  #onPick;
  #say;
  #gateChart;
  #stateChart;

  /** onPick(step): the user selected a step. say: text keys such as `OF_STEPS`. */
  constructor({ onPick, say = OF_WORDS }) {
    this.#onPick = onPick;
    this.#say = say;
    this.node = h("section", { class: "card", "aria-labelledby": "inside-title" }, h("h2", { id: "inside-title", say: "inside" }), h("p", { class: "quiet", say: say.lead }));
    this.#empty = h("div", { class: "empty" }, h("p", { say: "empty" }), h("p", { class: "quiet", say: say.empty }));
    this.#build();
    this.#gateChart = new Chart(this.#gates, { height: 150, keys: true, onPick });
    this.#stateChart = new Chart(this.#states, { height: 150, keys: true, onPick });
    for (const select of [this.#layer, this.#what, this.#order]) select.addEventListener("change", () => this.#changed());
    onScheme(() => this.refresh());
  }

  /** steps: [{name, layers: [{gate: values of all units}]}]. */
  set(steps) {
    this.#steps = steps;
    this.#full.hidden = !steps.length;
    this.#empty.hidden = steps.length > 0;
    this.refresh();
  }

  /** Select a step without calling onPick. */
  point(step) {
    this.#map.point(step);
    this.#describe();
  }

  /** The selected step. */
  get step() {
    return this.#map.cell.column;
  }

  /** Redraw everything after a change of steps, language or colours. */
  refresh() {
    if (!this.#steps.length) return;
    choose(this.#layer, this.#steps[0].layers.map((_, n) => ({ value: n, text: String(n + 1) })));
    const names = Object.keys(this.#steps[0].layers[this.#layer.value || 0]);
    const before = this.#what.value;
    choose(this.#what, names.map((name) => ({ value: name, text: nameOf(name) })));
    if (!before && names.includes("forget")) this.#what.value = "forget";
    choose(this.#order, [{ value: "number", text: words("orderNumber") }, { value: "lively", text: words("orderLively") }]);
    this.#layer.closest("label").hidden = this.#steps[0].layers.length === 1;
    this.#changed();
  }

  #build() {
    const host = h("div", { class: "map" });
    this.#map = new HeatMap(host, { onPick: (column) => { this.#describe(); this.#onPick(column); } });
    const button = (text, say, work) => h("button", { type: "button", sayLabel: say, text, on: { click: work } });
    const zooms = h("div", { class: "zooms" }, button("+", "zoomIn", () => this.#map.zoom(1.6)), button("−", "zoomOut", () => this.#map.zoom(1 / 1.6)), button("⤢", "zoomAll", () => this.#map.showAll()));
    const field = (say, select) => h("label", { class: "field" }, h("span", { say }), select);
    this.#full.append(
      h("div", { class: "controls" }, field("layer", this.#layer), field("show", this.#what), field("order", this.#order), zooms),
      this.#legend, host, this.#readout, h("p", { class: "quiet small", id: "map-keys", say: "mapKeys" }),
      h("div", { class: "unit" }, this.#title, this.#gates, this.#states),
    );
    this.#map.node.setAttribute("aria-describedby", "map-keys");
    this.#full.hidden = true;
    this.node.append(this.#empty, this.#full);
  }

  #values(step, name = this.#what.value) {
    return this.#steps[step].layers[this.#layer.value || 0][name];
  }

  #changed() {
    const name = this.#what.value;
    const isGate = GATES.includes(name);
    const reach = isGate ? 1 : Math.max(1, Math.ceil(this.#largest(name)));
    const colour = isGate ? (value) => against(2 * value - 1) : (value) => against(value / reach);
    this.#legend.replaceChildren(isGate ? legend(against, `${words("closed")} 0`, `1 ${words("open")}`) : legend(against, `−${reach}`, `+${reach}`));
    this.#map.node.setAttribute("aria-label", words(this.#say.map, { what: nameOf(name) }));
    this.#map.set({ columns: this.#steps.map((step) => step.name), order: this.#rows(name), value: (column, unit) => this.#values(column)[unit], colour });
    speak(this.node);
    this.#describe();
  }

  #largest(name) {
    let largest = 0;
    for (let step = 0; step < this.#steps.length; step += 1) for (const value of this.#values(step, name)) largest = Math.max(largest, Math.abs(value));
    return largest;
  }

  /** The unit in each row: ordered by number, or by how much its values vary over the steps. */
  #rows(name) {
    const units = Array.from(this.#values(0, name), (_, unit) => unit);
    if (this.#order.value !== "lively") return units;
    const spread = units.map((unit) => {
      const course = this.#steps.map((_, step) => this.#values(step, name)[unit]);
      const mean = course.reduce((sum, value) => sum + value, 0) / course.length;
      return course.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    });
    return units.sort((a, b) => spread[b] - spread[a] || a - b);
  }

  #describe() {
    if (!this.#steps.length) return;
    const { column, unit } = this.#map.cell;
    const name = this.#what.value;
    this.#readout.textContent = words(this.#say.cell, { unit, word: this.#steps[column].name, what: nameOf(name), value: this.#values(column)[unit].toFixed(4) });
    this.#title.textContent = words(this.#say.unit, { unit });
    const names = Object.keys(this.#steps[0].layers[this.#layer.value || 0]);
    const course = (each) => this.#steps.map((_, step) => this.#values(step, each)[unit]);
    const draw = (chart, host, chosen, y) => {
      host.hidden = !chosen.length;
      chart.set({ x: [0, Math.max(this.#steps.length - 1, 1)], y, xName: (n) => this.#steps[n]?.name.slice(0, 9) ?? "", marks: [{ x: column }], label: words("unitChart", { unit }),
        lines: chosen.map((each) => ({ values: course(each), class: series(names.indexOf(each)), name: nameOf(each) })) });
    };
    const around = names.filter((each) => !GATES.includes(each));
    const reach = Math.max(1, ...around.flatMap(course).map(Math.abs));
    draw(this.#gateChart, this.#gates, names.filter((each) => GATES.includes(each)), [0, 1]);
    draw(this.#stateChart, this.#states, around, [-reach, reach]);
  }
}

const nameOf = (name) => words(name === "cell" ? "cell_gate" : name);
