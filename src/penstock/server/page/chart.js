// Lines and bands over steps, in SVG, redrawn when the width changes.

import { h, svg } from "./elements.js";

const LETTER = 7; // approximate width of a letter on the axes, in CSS pixels
const MARGIN = { top: 10, right: 14, bottom: 24, left: 44 };

/**
 * A chart in `host`. Arguments of `set`:
 *   x: [first, last], y: [low, high]
 *   lines: [{values: y of each step, from: x of the first, class, name}]; NaN makes a gap
 *   bands: [{low, high, from, class}]
 *   marks: [{x, class}], vertical lines
 *   xName(x), yName(y): tick labels; label: the text for screen readers
 */
export class Chart {
  #host;
  #shown = null;
  #onPick;
  #height;
  #keys;
  #aligned;

  /**
   * height: in CSS pixels. onPick(x): the user points at a step. keys: show a legend below the chart if the names don't
   * fit at the ends of the lines. aligned: reserve space for names even if there are none, so that charts below each
   * other share their x axis.
   */
  constructor(host, { height = 180, onPick = null, keys = false, aligned = false } = {}) {
    this.#keys = keys;
    this.#aligned = aligned;
    this.#host = host;
    this.#height = height;
    this.#onPick = onPick;
    host.classList.add("chart");
    new ResizeObserver(() => this.#draw()).observe(host);
    if (onPick) this.#listen();
  }

  set(shown) {
    this.#shown = shown;
    this.#draw();
  }

  /** The step at the position of the pointer. */
  at(event) {
    const { left } = this.#host.getBoundingClientRect();
    const [first, last] = this.#shown.x;
    const share = (event.clientX - left - MARGIN.left) / (this.#host.clientWidth - MARGIN.left - this.#right());
    return Math.round(Math.min(Math.max(first + share * (last - first), first), last));
  }

  #listen() {
    const pick = (event) => this.#shown && this.#onPick(this.at(event));
    this.#host.classList.add("pickable");
    this.#host.addEventListener("pointerdown", (event) => {
      this.#host.setPointerCapture(event.pointerId);
      pick(event);
    });
    this.#host.addEventListener("pointermove", (event) => event.buttons && pick(event));
  }

  /** The right margin: wide enough for the names at the ends of the lines if the chart is wide enough. */
  #right() {
    const named = this.#shown.lines.some(({ name }) => name);
    return (named || this.#aligned) && this.#host.clientWidth > 420 ? 96 : MARGIN.right;
  }

  #draw() {
    const width = this.#host.clientWidth;
    if (!this.#shown || !width) return;
    const { x, y, lines, bands = [], marks = [], label } = this.#shown;
    const right = this.#right();
    const sx = (value) => MARGIN.left + ((value - x[0]) / (x[1] - x[0] || 1)) * (width - MARGIN.left - right);
    const sy = (value) => MARGIN.top + (1 - (value - y[0]) / (y[1] - y[0] || 1)) * (this.#height - MARGIN.top - MARGIN.bottom);
    const picture = svg("svg", { viewBox: `0 0 ${width} ${this.#height}`, role: "img", "aria-label": label, height: this.#height });
    picture.append(...this.#axes(width - right, sx, sy));
    for (const band of bands) picture.append(svg("path", { d: bandPath(band, sx, sy), class: `band ${band.class}` }));
    for (const mark of marks) picture.append(svg("line", { x1: sx(mark.x), x2: sx(mark.x), y1: MARGIN.top, y2: this.#height - MARGIN.bottom, class: `mark ${mark.class ?? ""}` }));
    for (const { x: at } of marks.filter((mark) => mark.class === "handle")) picture.append(svg("circle", { cx: sx(at), cy: MARGIN.top, r: 7, class: "grip" }));
    for (const line of lines) picture.append(svg("path", { d: linePath(line, sx, sy), class: `line ${line.class}` }), ...lonePoint(line, sx, sy));
    if (right > MARGIN.right) picture.append(...endNames(lines, sx, sy, this.#height - MARGIN.bottom));
    this.#host.replaceChildren(picture, ...(this.#keys && right === MARGIN.right ? [keyList(lines)] : []));
  }

  #axes(end, sx, sy) {
    const { x, y, xName = String, yName = plain } = this.#shown;
    const across = ticks(y[0], y[1], 4).flatMap((value) => [
      svg("line", { x1: MARGIN.left, x2: end, y1: sy(value), y2: sy(value), class: "grid" }),
      svg("text", { x: MARGIN.left - 8, y: sy(value) + 4, class: "tick", "text-anchor": "end", text: yName(value) }),
    ]);
    const widest = Math.max(...[x[0], (x[0] + x[1]) / 2, x[1]].map((step) => xName(Math.round(step)).length));
    const every = ticks(x[0], x[1], Math.max(1, Math.floor((end - MARGIN.left) / Math.max(80, LETTER * widest + 16))), 1);
    const below = every.map((value) => svg("text", { x: sx(value), y: this.#height - 6, class: "tick", "text-anchor": "middle", text: xName(value) }));
    return [...across, ...below];
  }
}

/** About `many` round numbers between two numbers, at least `least` apart. */
export function ticks(low, high, many, least = 0) {
  const rough = (high - low || 1) / many;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(power * [1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999), least);
  const found = [];
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high + step * 1e-9; n += 1) found.push(Number((n * step).toPrecision(12)));
  return found;
}

function linePath({ values, from = 0 }, sx, sy) {
  let path = "";
  let pen = "M";
  for (let step = 0; step < values.length; step += 1) {
    if (Number.isNaN(values[step])) {
      pen = "M";
      continue;
    }
    path += `${pen}${sx(from + step).toFixed(1)} ${sy(values[step]).toFixed(1)}`;
    pen = "L";
  }
  return path;
}

/** A line of a single step would be invisible. */
function lonePoint({ values, from = 0, class: name }, sx, sy) {
  return values.length === 1 ? [svg("circle", { cx: sx(from), cy: sy(values[0]), r: 3, class: `dot ${name}` })] : [];
}

function bandPath({ low, high, from = 0 }, sx, sy) {
  const point = (values) => (_, step) => `${sx(from + step).toFixed(1)} ${sy(values[step]).toFixed(1)}`;
  return `M${Array.from(high, point(high)).join("L")}L${Array.from(low, point(low)).reverse().join("L")}Z`;
}

/** The names at the ends of the lines, at the height of the last values, moved apart if they would overlap. */
function endNames(lines, sx, sy, floor) {
  const placed = lines.filter(({ name, values }) => name && values.length > 1 && values.some(Number.isFinite)).map((line) => ({ line, y: sy(line.values.findLast(Number.isFinite)) + 4 }));
  placed.sort((a, b) => a.y - b.y);
  for (let n = 1; n < placed.length; n += 1) placed[n].y = Math.max(placed[n].y, placed[n - 1].y + 15);
  for (let n = placed.length - 1, lowest = floor; n >= 0; n -= 1, lowest = placed[n + 1].y - 15) placed[n].y = Math.min(placed[n].y, lowest);
  return placed.map(({ line, y }) => svg("text", { x: sx((line.from ?? 0) + line.values.length - 1) + 7, y, class: `name ${line.class}`, text: short(line.name, 13) }));
}

function keyList(lines) {
  const key = ({ name, class: colour }) => h("li", {}, h("span", { class: `key ${colour}`, "aria-hidden": "true" }), name);
  return h("ul", { class: "keys" }, ...lines.filter(({ name }) => name).map(key));
}

const plain = (value) => String(value).replace("-", "−");
const short = (text, length) => (text.length > length ? `${text.slice(0, length - 1)}…` : text);
