// Figure 7: a clock of one LSTM unit, with and without peepholes; and what LSTMs learn of it.

import { row } from "./arrays.js";
import { course } from "./cells.js";
import { Chart } from "./chart.js";
import { plain, power, readout, Slider } from "./controls.js";
import { h, segmented, svg } from "./elements.js";
import { words } from "./language.js";

const STEPS = 120;
const LEFT = 44;
const ROW = 44;
const LOW = -5;
const KINDS = ["oneWithout", "oneWith", "twoWithout", "twoWith"];
const LEARNED = 0.2; // of the error of the best constant

export class Timing {
  #data;
  #interval;
  #trained;
  #sees = true;
  #spikes;
  #memory;
  #told = [readout(), readout()];
  #seeds = h("div", { class: "seeds" });

  constructor(host, { timing }) {
    this.#data = timing;
    const [first, last] = timing.intervals;
    this.#interval = new Slider({ say: "interval", min: first, max: last, value: 12, show: (steps) => words("stepsLong", { steps }), onInput: () => this.refresh() });
    const sees = segmented("timing-peephole", "peepholes", [["on", "peepholesOn"], ["off", "peepholesOff"]], (way) => { this.#sees = way === "on"; this.refresh(); });
    this.#trained = new Slider({ say: "trainedInterval", max: timing.trained.length - 1, value: 1, show: (n) => words("stepsLong", { steps: timing.trained[n] }), onInput: () => this.refresh() });
    const [spikes, memory] = [h("div"), h("div")];
    host.append(h("div", { class: "controls" }, this.#interval.node, sees), h("p", { class: "small-title", say: "spikeChart" }), spikes, h("p", { class: "small-title", say: "clockChart" }), memory, this.#told[0],
      h("h3", { say: "trainedTitle" }), h("p", { class: "quiet small", say: "trainedText" }), h("div", { class: "controls" }, this.#trained.node), this.#seeds, this.#told[1]);
    this.#spikes = new Chart(spikes, { height: 90 });
    this.#memory = new Chart(memory, { height: 130 });
    new ResizeObserver(() => this.#drawSeeds()).observe(this.#seeds);
    this.refresh();
  }

  refresh() {
    for (const slider of [this.#interval, this.#trained]) slider.refresh();
    const steps = course("lstm", clock(this.#data, this.#interval.value, this.#sees), Array(STEPS).fill([0]));
    const [output, memory] = [steps.map((step) => step.h[0]), steps.map((step) => step.c[0])];
    const ticks = output.flatMap((value, step) => (value > 0.5 ? [step + 1] : []));
    const most = Math.max(1.2, ...memory);
    const x = [0, STEPS - 1];
    const xName = (n) => String(n + 1);
    this.#spikes.set({ x, xName, y: [0, 1], lines: [{ values: output, class: "s0" }], label: words("spikeChart") });
    this.#memory.set({ x, xName, y: [0, most], lines: [{ values: memory, class: "s1" }], label: words("clockChart") });
    this.#told[0].textContent = ticks.length ? words("clockTold", { interval: this.#interval.value, ticks: ticks.slice(0, 3).join(words("comma")) }) : words("clockBlind", { memory: plain(memory.at(-1)) });
    this.#drawSeeds();
  }

  /** A row for each kind of LSTM, a dot for each seed. */
  #drawSeeds() {
    const width = this.#seeds.clientWidth;
    if (!width) return;
    const { units, errors } = this.#data;
    const kinds = units.flatMap((_, n) => [0, 1].map((peephole) => ({ n, peephole })));
    const height = kinds.length * ROW + 26;
    const sx = (error) => LEFT + ((Math.min(Math.max(Math.log10(error), LOW), 0) - LOW) / -LOW) * (width - LEFT - 20);
    const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, height, role: "img", "aria-label": words("trainedTitle") });
    for (let exponent = LOW; exponent <= 0; exponent += 1) picture.append(svg("line", { class: "grid", x1: sx(10 ** exponent), x2: sx(10 ** exponent), y1: 0, y2: height - 22 }), svg("text", { class: "tick", x: sx(10 ** exponent), y: height - 6, "text-anchor": "middle", text: exponent ? power(exponent) : "1" }));
    const counts = kinds.map(({ n, peephole }, at) => {
      const found = row(errors, this.#trained.value, n, peephole);
      const y = at * ROW;
      picture.append(svg("text", { class: "tick", x: LEFT, y: y + 15, text: words(KINDS[at]) }));
      for (const error of found) picture.append(svg(peephole ? "circle" : "rect", peephole ? { class: "seed s0", cx: sx(error), cy: y + 30, r: 5.5 } : { class: "seed s1", x: sx(error) - 5, y: y + 25, width: 10, height: 10 }));
      return found.filter((error) => error < LEARNED).length;
    });
    this.#seeds.replaceChildren(picture);
    const [oneWithout, oneWith, twoWithout, twoWith] = counts;
    this.#told[1].textContent = words("trainedTold", { oneWithout, oneWith, twoWithout, twoWith, seeds: errors.shape.at(-1) });
  }
}

/** The unit's parameters, as `penstock.lab.compute.timing.clock` sets them. */
export function clock({ intervals, biases, peepholes }, interval, sees) {
  const at = interval - intervals[0];
  const zeros = { shape: [4, 1], values: new Float64Array(4) };
  return {
    weight_ih: zeros, weight_hh: zeros, bias_hh: zeros,
    bias_ih: { shape: [4], values: row(biases, at) },
    ...(sees ? { weight_ch: { shape: [3, 1], values: row(peepholes, at) } } : {}),
  };
}
