// Figure 8: the gradient goes back only so many steps.

import { row } from "./arrays.js";
import { Chart } from "./chart.js";
import { plain, readout, Slider, verdict } from "./controls.js";
import { h, segmented, svg } from "./elements.js";
import { words } from "./language.js";

const HEIGHT = 96;

export class Truncation {
  #data;
  #back;
  #bias = 0;
  #steps = h("div");
  #learning;
  #readout = readout();

  constructor(host, { truncation }) {
    this.#data = truncation;
    const { back, biases } = truncation;
    this.#back = new Slider({ say: "back", max: back.length - 1, value: 3, show: (n) => words("stepsLong", { steps: back[n] }), onInput: () => this.refresh() });
    const bias = segmented("truncation-bias", "forgetBias", biases.map((each, n) => [String(n), `forgetBias${plain(each)}`]), (n) => { this.#bias = Number(n); this.refresh(); });
    const learning = h("div");
    host.append(h("div", { class: "controls" }, this.#back.node, bias), this.#steps, this.#readout, h("p", { class: "small-title", say: "learningChart" }), learning);
    this.#learning = new Chart(learning, { height: 230 });
    new ResizeObserver(() => this.#draw()).observe(this.#steps);
    this.refresh();
  }

  refresh() {
    this.#back.refresh();
    const { back, every, curves, steps } = this.#data;
    const at = this.#back.value;
    const curve = row(curves, this.#bias, at);
    this.#readout.textContent = words(back[at] === steps ? "backWhole" : "backTold", { back: back[at], steps }) + words("betweenSentences") + verdict(curve);
    const others = back.map((_, n) => ({ values: row(curves, this.#bias, n), class: "faint" }));
    this.#learning.set({ x: [0, curve.length - 1], y: [0, 1.2], xName: (n) => String(n * every), label: words("learningChart"), lines: [...others, { values: curve, class: "s1 thick" }] });
    this.#draw();
  }

  /** The steps of a sequence: the bit at the first, the question after the last, and how far back the gradient goes. */
  #draw() {
    const width = this.#steps.clientWidth;
    if (!width) return;
    const { steps, back } = this.#data;
    const reached = steps - back[this.#back.value];
    const size = width / steps;
    const picture = svg("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, height: HEIGHT, role: "img", "aria-label": words("backLabel", { reached: reached + 1, steps }) });
    for (let step = 0; step < steps; step += 1) {
      picture.append(svg("rect", { class: step >= reached ? "reached" : "cut-off", x: step * size + 1.5, y: 30, width: size - 3, height: 26, rx: 3 }));
    }
    picture.append(svg("text", { class: "mark-name", x: 2, y: 20, text: words("bitHere") }));
    picture.append(svg("text", { class: "mark-name", x: width - 2, y: 20, "text-anchor": "end", text: words("askedHere") }));
    picture.append(svg("line", { class: "arrow", x1: width - 2, x2: reached * size + 6, y1: 74, y2: 74, "marker-end": "url(#tip)" }));
    picture.append(svg("text", { class: "tick", x: width - 2, y: 91, "text-anchor": "end", text: words("gradientBack") }));
    this.#steps.replaceChildren(picture);
  }
}
