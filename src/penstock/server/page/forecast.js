// A forecaster: the series, and the forecast from a movable cut-off beside the actual values.

import { Chart } from "./chart.js";
import { Compare } from "./compare.js";
import { announce, calm, choose, h, oncePerFrame } from "./elements.js";
import { examplesOf, linesOf } from "./examples.js";
import { Follower } from "./follower.js";
import { Look } from "./look.js";
import { Matter } from "./matter.js";
import { madeUp } from "./numbers.js";
import { MOST_STEPS, Source } from "./source.js";
import { stepNames } from "./times.js";
import { count, words } from "./words.js";

const NEAR = 8; // horizons shown around the cut-off if the series is long

/** The view of a model; app: see main.js. */
export const view = (app) => new ForecastView(app);

class ForecastView {
  #app;
  #about;
  #follower;
  #series = { items: [], targets: {}, times: null };
  #cut = null; // observations before the forecast; null for all
  #frame = [0, 1]; // the first and last visible step
  #column = h("select", { id: "column" });
  #target = h("select", { id: "target" });
  #near = h("input", { type: "checkbox", id: "near", checked: true });
  #slider = h("input", { type: "range", id: "cut", class: "cut", min: 0, max: 0, value: 0 });
  #verdict = h("p", { class: "readout" });
  #aheadTitle = h("h3", { say: "aheadTitle" });
  #ahead = h("ol", { class: "ahead" });
  #empty = h("div", { class: "empty" }, h("p", { say: "empty" }), h("p", { class: "quiet", say: "emptySeries" }));
  #shown = h("div", { hidden: true });
  #chart;
  #look;
  #compare;
  #matter;
  #source;
  #timeOf = null; // the name of a step, if the table has times
  #table = { columns: [], rows: 0 };

  /** app: see main.js. */
  constructor(app) {
    this.#app = app;
    this.#about = app.info.forecast;
    this.#follower = new Follower(() => app.wire.stream(app.name), { every: 64, onChange: () => this.#redraw() });
    this.#look = new Look(app, { traced: (item) => ({ push: item, trace: true }), nameOf: (item) => this.#nameOf(item), onPick: (item) => this.#setCut(item + 1) });
    this.#compare = new Compare(app, { onChange: () => this.#redraw() });
    this.#matter = new Matter(app, { ahead: this.#about.horizon });
    const season = this.#about.season > 1 ? this.#about.season : 12;
    const example = () => madeUp(Math.max(3 * this.#about.context, this.#about.context + 6 * this.#about.horizon), season).join("\n");
    this.#source = new Source({ onTable: (table) => this.#take(table), example, stored: examplesOf(app.info).map(linesOf) });
    const host = h("div");
    this.#chart = new Chart(host, { height: 320, keys: true, onPick: (step) => this.#setCut(step, true) });
    host.addEventListener("pointerup", () => this.#settle());
    this.#slider.addEventListener("input", () => this.#setCut(Number(this.#slider.value)));
    this.#near.addEventListener("change", () => this.#settle());
    this.#column.addEventListener("change", () => this.#take(this.#table));
    this.#target.addEventListener("change", () => this.#draw());
    this.node = this.#layout(host);
  }

  resume() {
    return this.#app.working(() => this.#read());
  }

  refresh() {
    this.#draw();
    this.#look.refresh();
    this.#compare.refresh();
    this.#matter.refresh();
  }

  /** The series in the format of `predict`. */
  get input() {
    return this.#series.items.map((item) => JSON.parse(item));
  }

  close() {
    this.#follower.close();
    this.#compare.close();
  }

  #layout(host) {
    const field = (say, input) => h("label", { class: "field" }, h("span", { say }), input);
    this.#shown.append(
      h("div", { class: "controls" }, field("column", this.#column), field("target", this.#target), h("label", { class: "check" }, this.#near, h("span", { say: "near" }))),
      host,
      h("label", { class: "field cut-field" }, h("span", { say: "cutOff" }), this.#slider),
      this.#verdict, this.#aheadTitle, this.#ahead);
    return h("div", { class: "view" },
      h("section", { class: "card", "aria-labelledby": "series-title" }, h("h2", { id: "series-title", say: "yourSeries" }), this.#source.node),
      h("section", { class: "card", "aria-labelledby": "fan-title" }, h("h2", { id: "fan-title", say: "fanTitle" }), h("p", { class: "quiet", say: "fanLead" }), this.#empty, this.#shown),
      this.#matter.node, this.#compare.node, this.#look.node);
  }

  #take(table) {
    this.#table = table;
    const numeric = table.columns.filter((column) => column.numeric);
    const before = this.#column.value;
    choose(this.#column, numeric.map(({ name }) => ({ value: name, text: name })));
    // The measured values are usually in a column after the times.
    if (this.#column.value !== before) this.#column.value = numeric.at(-1)?.name ?? "";
    const byName = this.#columns.every((name) => table.columns.some((column) => column.name === name));
    this.#column.closest("label").hidden = byName || this.#columns.length > 1 || numeric.length < 2;
    if (numeric.length && !byName && numeric.length < this.#columns.length) {
      this.#source.say(words("columnsNeeded", { columns: this.#columns.join(", ") }));
      return;
    }
    this.#series = byName ? this.#named(table) : this.#unnamed(numeric);
    this.#timeOf = this.#series.times && stepNames(this.#series.times);
    this.#cut = null;
    this.#app.working(() => this.#read()).then(() => this.#tell());
  }

  get #columns() {
    return [...this.#about.targets, ...this.#about.past, ...this.#about.known];
  }

  /** A table with the column names of the model: an object for each observation, with times and known future inputs. */
  #named({ columns, rows }) {
    const { known, horizon } = this.#about;
    const end = known.length ? Math.max(rows - horizon, 0) : rows;
    const start = Math.max(0, end - MOST_STEPS);
    const observation = (row) => {
      const found = Object.fromEntries(columns.map(({ name, cells, values, numeric }) => [name, numeric ? values[row] : cells[row]]));
      if (known.length) found.ahead = Object.fromEntries(known.map((name) => [name, columns.find((column) => column.name === name).values.slice(row + 1, row + 1 + horizon)]));
      return JSON.stringify(found);
    };
    const targets = Object.fromEntries(this.#about.targets.map((name) => [name, columns.find((column) => column.name === name).values.slice(start)]));
    return { items: range(start, end).map(observation), targets, times: timesOf(columns)?.slice(start) ?? null, given: rows, named: { start, columns } };
  }

  /** A table without the column names of the model: the chosen column, or the first ones in the model's order. */
  #unnamed(numeric) {
    const rows = numeric[0]?.values.length ?? 0;
    const start = Math.max(0, rows - MOST_STEPS);
    const chosen = this.#columns.length === 1 ? [numeric.find(({ name }) => name === this.#column.value) ?? numeric[0]] : numeric.slice(0, this.#columns.length);
    const targets = Object.fromEntries(this.#about.targets.map((name, n) => [name, chosen[n]?.values.slice(start) ?? []]));
    const times = timesOf(this.#table.columns.filter((column) => !chosen.includes(column)))?.slice(start) ?? null;
    return { items: range(start, rows).map((row) => JSON.stringify(chosen.map(({ values }) => values[row]))), targets, times, given: rows };
  }

  async #read() {
    this.#compare.follow(this.#series.items);
    await this.#follower.follow(this.#series.items);
    this.#redraw();
  }

  #redraw = oncePerFrame(() => this.#settle());

  get #readSteps() {
    return this.#follower.readOf(this.#series.items);
  }

  /** The effective cut-off: between the first forecast and the last step that was read. */
  get #at() {
    const read = this.#readSteps;
    return Math.min(Math.max(this.#cut ?? read, Math.min(this.#about.context, read)), read);
  }

  #setCut(step, dragged = false) {
    this.#cut = step;
    if (dragged) this.#draw();
    else this.#settle();
    this.#tell();
  }

  /** Choose the visible range; not while the user drags, because the chart would move under the pointer. */
  #settle() {
    const { horizon } = this.#about;
    const last = Math.max(this.#readSteps + horizon - 1, 1);
    const reach = NEAR * horizon;
    const near = this.#near.checked && last > reach * 1.5;
    const end = near ? Math.min(last, this.#at + 2 * horizon) : last;
    this.#frame = [near ? Math.max(0, end - reach) : 0, end];
    this.#near.closest("label").hidden = last <= reach * 1.5;
    this.#draw();
    this.#look.show(this.#follower, this.#at - 1);
    const cut = this.#at;
    const nameOf = (n, all) => this.#nameOf(cut - (all - this.#about.horizon) + n);
    this.#matter.show(cut >= this.#about.context ? { input: this.#upTo(cut), nameOf } : null);
  }

  /** The series up to the cut-off as `Wire.attribute` takes it: a table where columns have names, as in a file. */
  #upTo(cut) {
    const { items, named } = this.#series;
    if (!named) return { inputs: [items.slice(0, cut).map((item) => JSON.parse(item))] };
    const { start, columns } = named;
    const { targets, known, horizon } = this.#about;
    const rows = range(start, start + cut + (known.length ? horizon : 0));
    const cell = ({ name, cells }, row) => (row >= start + cut && !known.includes(name) && targets.includes(name) ? "" : quoted(cells[row] ?? ""));
    const lines = rows.map((row) => columns.map((column) => cell(column, row)).join(","));
    return new Blob([[columns.map(({ name }) => quoted(name)).join(","), ...lines, ""].join("\n")], { type: "text/csv" });
  }

  #draw() {
    const read = this.#readSteps;
    this.#empty.hidden = read > 0;
    this.#shown.hidden = !read;
    if (!read) return;
    const { targets, context } = this.#about;
    choose(this.#target, targets.map((name) => ({ value: name, text: name })));
    this.#target.closest("label").hidden = targets.length < 2;
    this.#source.sayRead(read, this.#series.given);
    Object.assign(this.#slider, { min: Math.min(context, read), max: read, value: this.#at });
    this.#slider.setAttribute("aria-valuetext", this.#nameOf(this.#at - 1));
    this.#drawFan(this.#forecast());
  }

  /** {median, bands: [[low, high, share]]} from the cut-off on, or null before the context is complete. */
  #forecast() {
    const answer = this.#follower.answers[this.#at - 1]?.answer;
    if (!answer?.prediction) return null;
    const of = (found) => this.#of(found);
    const quantiles = Object.keys(answer.quantiles).sort((a, b) => a - b);
    const pairs = quantiles.slice(0, Math.floor(quantiles.length / 2)).map((low, n) => [low, quantiles[quantiles.length - 1 - n]]);
    return { median: of(answer.prediction), bands: pairs.map(([low, high]) => ({ low: of(answer.quantiles[low]), high: of(answer.quantiles[high]), share: Math.round(100 * (high - low)) })) };
  }

  /** The values of the chosen target. */
  #of(found) {
    return Array.isArray(found) ? found : found[this.#target.value];
  }

  /** {name, median} of the second model; null if there is none, or its context is not complete. */
  #second() {
    const found = this.#compare.at(this.#at - 1);
    return found?.answer.prediction ? { name: found.name, median: this.#of(found.answer.prediction) } : null;
  }

  #drawFan(forecast) {
    const second = this.#second();
    const cut = this.#at;
    const [first, last] = this.#frame;
    const values = this.#series.targets[this.#target.value || this.#about.targets[0]].map((value) => value ?? NaN);
    const seen = values.slice(first, last + 1);
    // The fan starts at the last value, if there is one.
    const now = values.slice(cut - 1, cut).filter(Number.isFinite);
    const [joined, from] = [(ahead) => [...now, ...ahead], cut + 1 - now.length];
    const all = [...seen, ...(forecast ? forecast.bands.flatMap(({ low, high }) => [...low, ...high]).concat(forecast.median) : []), ...(second?.median ?? [])].filter(Number.isFinite);
    const [low, high] = [Math.min(...all), Math.max(...all)];
    const margin = 0.06 * (high - low || 1);
    // The first step is 1 on the axis, so that the cut-off equals the number of steps read.
    this.#chart.set({
      x: [first + 1, last + 1], y: [low - margin, high + margin], xName: (step) => this.#nameOf(step - 1), label: words("fanLabel", { step: this.#nameOf(cut - 1) }),
      bands: (forecast?.bands ?? []).map((band) => ({ low: joined(band.low), high: joined(band.high), from, class: "s1" })),
      marks: [{ x: cut, class: "handle" }],
      lines: [
        { values: values.slice(first, cut), from: first + 1, class: "ink" },
        ...(cut < values.length ? [{ values: values.slice(cut - 1, last + 1), from: cut, class: "came", name: words("cameAfter") }] : []),
        ...(forecast ? [{ values: joined(forecast.median), from, class: "s1", name: words("forecast") }] : []),
        ...(second ? [{ values: joined(second.median), from, class: "s0", name: second.name }] : []),
      ],
    });
    this.#say(forecast, values, cut);
  }

  #say(forecast, values, cut) {
    this.#aheadTitle.hidden = !forecast;
    if (!forecast) {
      this.#verdict.textContent = words("moreContext", { count: this.#about.context });
      this.#ahead.replaceChildren();
      return;
    }
    const outer = forecast.bands[0];
    const came = forecast.median.map((expected, n) => ({ expected, value: values[cut + n], low: outer?.low[n], high: outer?.high[n] }));
    const known = came.filter(({ value }) => Number.isFinite(value));
    const error = known.reduce((sum, { expected, value }) => sum + Math.abs(expected - value), 0) / known.length;
    const inside = known.filter(({ value, low, high }) => value >= low && value <= high).length;
    this.#verdict.textContent = known.length
      ? words("fanVerdict", { step: this.#nameOf(cut - 1), error: number(error), inside, known: known.length, share: outer?.share ?? 0 })
      : words("fanFuture", { step: this.#nameOf(cut - 1) });
    this.#ahead.replaceChildren(...came.map(({ expected, low, high, value }, n) =>
      h("li", { "data-step": n + 1 }, h("span", { class: "quiet small", text: `+${n + 1}` }), h("strong", { text: number(expected) }),
        outer && h("span", { class: "quiet small", text: `${number(low)} … ${number(high)}` }), Number.isFinite(value) ? h("span", { class: "small came", text: number(value) }) : null)));
  }

  #nameOf(step) {
    return this.#timeOf?.(step) ?? count(step + 1);
  }

  #tell = calm(() => announce(this.#verdict.textContent), 500);
}

/** The cells that name the steps: those of the first text column, or of a column of evenly spaced numbers (years). */
function timesOf(columns) {
  const counts = ({ numeric, values }) => numeric && values.length > 2 && values.every((value, n) => n < 1 || (value !== null && value - values[n - 1] === values[1] - values[0])) && values[1] > values[0];
  return (columns.find(({ numeric }) => !numeric) ?? columns.find(counts))?.cells;
}

const quoted = (cell) => (/[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
const range = (start, end) => Array.from({ length: Math.max(end - start, 0) }, (_, n) => start + n);

/** Formats a number with digits that suit its magnitude. */
function number(value) {
  const digits = Math.abs(value) >= 1000 ? 0 : Math.abs(value) >= 100 ? 1 : Math.abs(value) >= 1 ? 2 : 4;
  return value.toFixed(digits).replace("-", "−");
}
