// Which parts of the input mattered: rows over time, a spectrogram, or words, coloured by their effect.

import { ticks } from "./chart.js";
import { against, css, inkOn, onScheme } from "./colours.js";
import { calm, choose, h, svg } from "./elements.js";
import { legend } from "./heatmap.js";
import { count, signed, words } from "./words.js";
import { WireError } from "./wire.js";

const STILL = 400; // milliseconds without a change until the input is explained
const MOST_ROWS = 8; // rows shown: those with the largest effects
const TOP = 5; // effects listed as text
const [NAME, ROW, AXIS] = [18, 46, 22]; // heights in CSS pixels
const [LEFT, RIGHT] = [8, 14];

export class Matter {
  #app;
  #ahead;
  #labels;
  #found = null;
  #asked = null; // the last input, as `show` got it
  #number = 0; // counts requests, so that a late response is ignored
  #chosen = h("select");
  #why = h("p", { class: "quiet" });
  #note = h("p", { class: "note", role: "status" });
  #legend = h("div");
  #host = h("div", { class: "matter" });
  #top = h("ol", { class: "effects" });

  /** app: see main.js. labels: the classes to choose from. ahead: the steps ahead of a forecaster. */
  constructor(app, { labels = [], ahead = 0 } = {}) {
    this.#app = app;
    this.#ahead = ahead;
    this.#labels = labels;
    this.#chosen.addEventListener("change", () => this.#ask());
    this.node = h("section", { class: "card", "aria-labelledby": "matter-title", hidden: true },
      h("h2", { id: "matter-title", say: "matter" }), this.#why,
      h("div", { class: "controls" }, h("label", { class: "field", hidden: !labels.length && !ahead }, h("span", { say: ahead ? "matterAhead" : "changedClass" }), this.#chosen)),
      this.#legend, this.#host, this.#note, this.#top);
    new ResizeObserver(() => this.#draw()).observe(this.#host);
    onScheme(() => this.refresh());
    this.refresh();
  }

  /**
   * Explain an input when the user pauses; null for none.
   * asked: {input: as `Wire.attribute` takes it, at, nameOf(n, all): the name of the n-th of all steps if not the server's}
   */
  show = calm((asked) => {
    this.#asked = asked;
    this.#ask();
  }, STILL);

  refresh() {
    const first = words(this.#ahead ? "matterMean" : "likeliest");
    const rest = this.#ahead ? Array.from({ length: this.#ahead }, (_, n) => ({ value: n + 1, text: `+${count(n + 1)}` })) : this.#labels.map((label) => ({ value: label, text: label }));
    choose(this.#chosen, [{ value: "", text: first }, ...rest]);
    this.#draw();
  }

  async #ask() {
    const number = (this.#number += 1);
    this.node.hidden = !this.#asked;
    if (!this.#asked) return;
    this.#note.textContent = words("matterAsking");
    const { input, at = null, nameOf = null } = this.#asked;
    const chosen = this.#chosen.value;
    await this.#app.working(async () => {
      const found = await attributionOf(this.#app, input, this.#ahead ? { at: chosen } : { target: chosen, at });
      if (number !== this.#number) return;
      if (nameOf && !found.note) found.coordinates.time = found.coordinates.time.map((_, n, all) => nameOf(n, all.length));
      this.#found = found.note ? null : found;
      this.#note.textContent = found.note ?? "";
      this.#draw();
    });
  }

  #draw() {
    const found = this.#found;
    this.#legend.replaceChildren();
    this.#why.textContent = found ? words(found.unit === "log-odds" ? "matterOdds" : "matterValue", { label: String(found.target) }) : "";
    if (!found) {
      this.#host.replaceChildren();
      this.#top.replaceChildren();
      return;
    }
    const scale = Math.max(1e-12, ...found.values.flat().map(Math.abs));
    const colour = (value) => against(value / scale);
    const top = effects(found).slice(0, TOP);
    const label = `${words("matter")}: ${top.map((each) => words("wordChange", each)).join("; ")}`;
    this.#legend.replaceChildren(legend(against, words("lowers"), words("raises")));
    if (found.axes[0] === "token") this.#host.replaceChildren(tokens(found, colour));
    else if (found.axes[1] === "band") this.#host.replaceChildren(spectrum(found, scale, label));
    else if (this.#host.clientWidth) this.#host.replaceChildren(rows(found, colour, this.#host.clientWidth, this.#ahead, label)); // drawn again once it has a width
    this.#top.replaceChildren(...top.map(({ word, change }) => h("li", {}, h("strong", { text: change }), ` ${word}`)));
  }
}

/** The attribution of an input, or {note} with the reason if this input can't be explained. */
export async function attributionOf(app, input, asked) {
  try {
    return await app.wire.attribute(app.name, input, asked);
  } catch (error) {
    if (!(error instanceof WireError) || ![413, 422, 429, 503].includes(error.status)) throw error;
    return { note: error.message };
  }
}

/** The scores of a text's pieces, which were joined by line breaks: the sums over their tokens. */
export function byPiece({ gaps, values }, pieces) {
  const sums = Array(pieces).fill(0);
  let piece = 0;
  values.forEach((value, n) => {
    piece += gaps[n].split("\n").length - 1;
    sums[piece] += value;
  });
  return sums;
}

/** [{word, change}]: the parts with the largest effects; steps that were replaced together are one part. */
function effects({ axes, coordinates, values, window }) {
  const parts = [];
  const [times, columns] = axes.map((axis) => coordinates[axis]);
  for (let start = 0; start < times.length; start += window[0]) {
    const end = Math.min(start + window[0], times.length) - 1;
    const when = start === end ? `${times[start]}` : `${times[start]} – ${times[end]}`;
    for (let low = 0; low < (columns?.length ?? 1); low += window[1] ?? 1) {
      const high = Math.min(low + (window[1] ?? 1), columns?.length ?? 1);
      const sum = values.slice(start, end + 1).flatMap((row) => (columns ? row.slice(low, high) : [row])).reduce((total, value) => total + value, 0);
      const where = !columns ? "" : high - low > 1 ? `${columns[low]} – ${columns[high - 1]}` : String(columns[low]);
      const unit = axes[1] === "band" ? [`${when} s`, `${where} Hz`] : axes[1] === "channel" ? [words("matterChannel", { name: where }), words("matterSteps", { steps: when })] : [where, when].filter(Boolean);
      if (sum) parts.push({ word: unit.join(", "), size: Math.abs(sum), change: figure(sum) });
    }
  }
  return parts.sort((a, b) => b.size - a.size);
}

/** A row for each channel or column: its line over the colours of its steps. */
function rows({ axes, coordinates, values, inputs }, colour, width, ahead, label) {
  const [times, names] = axes.map((axis) => coordinates[axis]);
  const total = names.map((_, n) => values.reduce((sum, row) => sum + Math.abs(row[n]), 0));
  const shown = [...total.keys()].sort((a, b) => total[b] - total[a]).slice(0, MOST_ROWS).sort((a, b) => a - b);
  const height = shown.length * (NAME + ROW) + AXIS;
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, height, role: "img", "aria-label": label });
  const step = (width - LEFT - RIGHT) / times.length;
  for (const [place, n] of shown.entries()) {
    const top = place * (NAME + ROW) + NAME;
    picture.append(svg("text", { x: LEFT, y: top - 5, class: "tick", text: names[n] }));
    for (const { from, to, value } of runs(values.map((row) => row[n]))) {
      picture.append(svg("rect", { x: LEFT + from * step, width: (to - from + 1) * step, y: top, height: ROW, fill: css(colour(value)), "data-score": value }));
    }
    const all = inputs.map((row) => row[n]);
    // Beyond the look-back only what is known ahead has values.
    const known = ahead && all.slice(-ahead).every((value) => value === 0) ? all.slice(0, -ahead) : all;
    const [low, high] = [Math.min(...known), Math.max(...known)];
    const points = known.map((value, at) => `${(LEFT + (at + 0.5) * step).toFixed(1)} ${(top + 5 + (1 - (value - low) / (high - low || 1)) * (ROW - 10)).toFixed(1)}`);
    const line = `M${points.join("L")}`;
    picture.append(svg("path", { d: line, class: "traced halo" }), svg("path", { d: line, class: "traced" }));
  }
  if (ahead) picture.append(svg("line", { x1: LEFT + (times.length - ahead) * step, x2: LEFT + (times.length - ahead) * step, y1: NAME, y2: height - AXIS, class: "mark" }));
  const letters = Math.max(...[0, times.length - 1].map((at) => String(times[at]).length));
  for (const at of ticks(0, times.length - 1, Math.max(1, Math.floor(width / Math.max(70, 8 * letters + 24))), 1)) {
    const x = LEFT + (at + 0.5) * step;
    const anchor = x < 40 ? "start" : x > width - 50 ? "end" : "middle";
    picture.append(svg("text", { x, y: height - 6, class: "tick", "text-anchor": anchor, text: String(times[at]) }));
  }
  return picture;
}

/** Loudness in grey, low frequencies at the bottom, with the colours of the effects over it. */
function spectrum({ values, inputs }, scale, label) {
  const [frames, bands] = [values.length, values[0].length];
  const canvas = h("canvas", { class: "effect-map", role: "img", "aria-label": label, width: frames, height: bands });
  const pen = canvas.getContext("2d");
  const image = pen.createImageData(frames, bands);
  const all = inputs.flat();
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const paper = against(0);
  for (let frame = 0; frame < frames; frame += 1) {
    for (let band = 0; band < bands; band += 1) {
      const loud = (inputs[frame][band] - low) / (high - low || 1);
      const share = Math.min(1, Math.abs(values[frame][band]) / scale);
      const effect = against(Math.sign(values[frame][band]));
      const grey = paper.map((part) => part + (128 - part) * 0.75 * loud);
      image.data.set([...grey.map((part, n) => part + (effect[n] - part) * share ** 0.7), 255], 4 * ((bands - 1 - band) * frames + frame));
    }
  }
  pen.putImageData(image, 0, 0);
  return canvas;
}

/** The words of a text as it is written. */
function tokens({ coordinates, gaps, values }, colour) {
  const spans = coordinates.token.flatMap((token, n) => {
    const background = colour(values[n]);
    const span = h("span", { text: token, title: figure(values[n]), "data-score": values[n] });
    span.style.background = css(background);
    span.style.color = inkOn(background);
    return [gaps[n], span];
  });
  return h("p", { class: "coloured", dir: "auto" }, ...spans, gaps.at(-1));
}

/** A score with its sign and enough digits. */
const figure = (value) => signed(value, Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 0.1 || !value ? 2 : 4);

/** [{from, to, value}]: runs of equal values. */
function runs(values) {
  const found = [];
  values.forEach((value, at) => {
    if (found.at(-1)?.value === value) found.at(-1).to = at;
    else found.push({ from: at, to: at, value });
  });
  return found;
}
