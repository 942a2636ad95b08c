// Figure 6: the wall in a loss, and descent over it with the gradient clipped at a norm.

import { row } from "./arrays.js";
import { Chart } from "./chart.js";
import { onScheme } from "./colours.js";
import { logs, plain, power, readout, Slider } from "./controls.js";
import { h, svg } from "./elements.js";
import { words } from "./language.js";

const HEIGHT = 300;
const LEFT = 44;
const BOTTOM = 40;
const [LOW, HIGH] = [-4, 3];
const DARKEST = 0.85; // loss at which the picture is darkest; few points lie above

export class Clipping {
  #data;
  #threshold;
  #update;
  #surface = h("canvas", { "aria-hidden": "true" });
  #overlay = h("div");
  #picture = h("div", { class: "surface" }, this.#surface, this.#overlay);
  #norms;
  #readout = readout();

  constructor(host, { cliff }) {
    this.#data = cliff;
    const { thresholds, paths } = cliff;
    this.#threshold = new Slider({ say: "threshold", max: thresholds.length - 1, value: thresholds.length - 1, show: (n) => (thresholds[n] === null ? words("noClipping") : plain(thresholds[n])), onInput: () => this.refresh() });
    this.#update = new Slider({ say: "updates", max: paths.shape[1] - 1, value: paths.shape[1] - 1, onInput: () => this.refresh() });
    const norms = h("div");
    host.append(h("div", { class: "controls" }, this.#threshold.node, this.#update.node), this.#readout,
      h("div", { class: "two" }, h("div", {}, h("p", { class: "small-title", say: "surfaceChart" }), this.#picture), h("div", {}, h("p", { class: "small-title", say: "normChart" }), norms)));
    this.#norms = new Chart(norms, { height: HEIGHT });
    new ResizeObserver(() => this.#draw()).observe(this.#picture);
    onScheme(() => this.#draw());
    this.refresh();
  }

  /** [weight, bias, loss, norm] at each update. */
  #path() {
    const { paths } = this.#data;
    return Array.from({ length: paths.shape[1] }, (_, update) => row(paths, this.#threshold.value, update));
  }

  refresh() {
    for (const slider of [this.#threshold, this.#update]) slider.refresh();
    const path = this.#path();
    const update = this.#update.value;
    const norms = path.map((point) => point[3]);
    const threshold = this.#data.thresholds[this.#threshold.value];
    this.#readout.textContent = words("clipTold", { updates: update, loss: plain(path[update][2]), norm: plain(Math.max(...norms.slice(0, update + 1))) });
    const line = threshold === null ? [] : [{ values: norms.map(() => Math.log10(threshold)), class: "s-other" }];
    this.#norms.set({ x: [0, path.length - 1], y: [LOW, HIGH], yName: power, marks: [{ x: update }], label: words("normChart"), lines: [...line, { values: logs(norms, LOW, HIGH), class: "s1" }] });
    this.#draw();
  }

  #draw() {
    const width = this.#picture.clientWidth;
    if (!width) return;
    const { weights, biases } = this.#data;
    const sx = (weight) => LEFT + ((weight - weights[0]) / (weights[1] - weights[0])) * (width - LEFT);
    const sy = (bias) => (1 - (bias - biases[0]) / (biases[1] - biases[0])) * (HEIGHT - BOTTOM);
    this.#paint(width);
    const points = this.#path().slice(0, this.#update.value + 1);
    const inside = (value, low, high) => Math.min(Math.max(value, low), high);
    const place = ([weight, bias]) => [inside(sx(weight), LEFT, width), inside(sy(bias), 0, HEIGHT - BOTTOM)];
    const picture = svg("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, height: HEIGHT, role: "img", "aria-label": words("surfaceLabel") });
    for (const weight of [0.5, 1, 1.5, 2]) picture.append(svg("text", { class: "tick", x: sx(weight), y: HEIGHT - BOTTOM + 16, "text-anchor": "middle", text: weight }));
    for (const bias of [-0.4, -0.2, 0, 0.2, 0.4]) picture.append(svg("text", { class: "tick", x: LEFT - 6, y: sy(bias) + 4, "text-anchor": "end", text: String(bias).replace("-", "−") }));
    picture.append(svg("text", { class: "tick", x: (LEFT + width) / 2, y: HEIGHT - 5, "text-anchor": "middle", text: words("surfaceWeight") }));
    picture.append(svg("text", { class: "tick", transform: `translate(11 ${(HEIGHT - BOTTOM) / 2}) rotate(-90)`, "text-anchor": "middle", text: words("surfaceBias") }));
    const line = points.map((point) => place(point).map((at) => at.toFixed(1)).join(" ")).join("L");
    for (const kind of ["under", "over"]) picture.append(svg("path", { class: `path ${kind}`, d: `M${line}` }));
    for (const point of points) picture.append(svg("circle", { class: "point", cx: place(point)[0], cy: place(point)[1], r: 3 }));
    const [x, y] = place(points.at(-1));
    picture.append(svg("circle", { class: "point last", cx: x, cy: y, r: 6 }));
    this.#overlay.replaceChildren(picture);
  }

  #paint(width) {
    const { shape, values } = this.#data.loss;
    const [rows, columns] = shape;
    Object.assign(this.#surface, { width: columns, height: rows });
    Object.assign(this.#surface.style, { left: `${LEFT}px`, width: `${width - LEFT}px`, height: `${HEIGHT - BOTTOM}px` });
    const pen = this.#surface.getContext("2d");
    const image = pen.createImageData(columns, rows);
    const style = getComputedStyle(this.#picture);
    const [low, high] = ["--floor", "--peak"].map((name) => style.getPropertyValue(name).trim().split(" ").map(Number));
    for (let at = 0; at < values.length; at += 1) {
      const share = Math.sqrt(Math.min(values[at] / DARKEST, 1));
      const pixel = ((rows - 1 - Math.floor(at / columns)) * columns + (at % columns)) * 4;
      for (let channel = 0; channel < 3; channel += 1) image.data[pixel + channel] = low[channel] + share * (high[channel] - low[channel]);
      image.data[pixel + 3] = 255;
    }
    pen.putImageData(image, 0, 0);
  }
}
