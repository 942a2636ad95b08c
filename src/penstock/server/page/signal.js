// A model of signals: the signal, and the prediction after each step, a class or a number; or a label for each step.

import { Answers, likeliest } from "./answers.js";
import { Chart } from "./chart.js";
import { series } from "./colours.js";
import { announce, h, oncePerFrame } from "./elements.js";
import { Compare } from "./compare.js";
import { examplesOf, linesOf } from "./examples.js";
import { Follower } from "./follower.js";
import { Look } from "./look.js";
import { Matter } from "./matter.js";
import { madeUp, spread } from "./numbers.js";
import { predictionsOf, predictionsOfRows, runsOf, textOf } from "./predictions.js";
import { MOST_STEPS, Source } from "./source.js";
import { count, percent, words } from "./words.js";

/** The view of a model; app: see main.js. */
export const view = (app) => new SignalView(app);

export class SignalView {
  #app;
  #labels;
  #channels;
  #follower;
  #columns = [];
  #given = 0;
  #items = [];
  #step = null; // the selected step; null for the last one
  #verdict = h("p", { class: "verdict" });
  #when = h("p", { class: "quiet small" });
  #answers = null;
  #signal;
  #numbers = null;
  #source;
  #stepwise;
  #legend = h("ul", { class: "keys" });
  #look = null;
  #compare = null;
  #matter;

  /** app: see main.js. */
  constructor(app) {
    this.#app = app;
    this.#stepwise = app.info.view === "steps";
    this.#labels = app.info.label_texts ?? []; // empty if the prediction is a number
    this.#channels = app.info.channels;
    this.#follower = app.info.streams ? new Follower(() => app.wire.stream(app.name), { every: 64, onChange: () => this.#redraw() }) : null;
    this.#source = new Source({ onTable: (table) => this.#take(table), example: () => this.#example(), stored: examplesOf(app.info).map(linesOf) });
    const [signal, numbers] = [h("div"), h("div")];
    const onPick = (step) => this.#pick(step - 1);
    this.#signal = new Chart(signal, { height: 200, keys: true, onPick, aligned: true });
    if (this.#labels.length) this.#answers = new Answers(this.#labels, { chartWords: "chartSteps", onPick, height: 200, aligned: true });
    else this.#numbers = new Chart(numbers, { height: 200, onPick, aligned: true });
    if (this.#follower) this.#look = new Look(app, { traced: (item) => ({ push: item, trace: true }), nameOf: (item) => count(item + 1), onPick: (item) => this.#pick(item) });
    if (this.#follower) this.#compare = new Compare(app, { chartWords: "chartSteps" });
    this.#matter = new Matter(app, { labels: this.#labels });
    const answer = h("div", { class: "answer" }, h("h2", { class: "small-title", say: this.#stepwise ? "stepsNow" : "answerSoFar" }), this.#verdict, this.#when, this.#answers?.bars);
    this.node = h("div", { class: "view" },
      h("section", { class: "card pair" }, h("div", {}, h("h2", { class: "small-title", say: "yourSeries" }), this.#source.node), answer),
      h("section", { class: "card", "aria-labelledby": "signal-title" }, h("h2", { id: "signal-title", say: "signalTitle" }), signal,
        this.#legend, this.#follower ? null : h("p", { class: "notice", say: "whole" }),
        this.#perStep ? h("div", {}, h("h3", { say: "overTime" }), this.#answers?.lines ?? numbers) : null),
      this.#matter.node, this.#compare?.node, this.#look?.node);
    this.#draw();
  }

  resume() {
    return this.#app.working(() => this.#read());
  }

  refresh() {
    this.#draw();
    this.#look?.refresh();
    this.#matter.refresh();
    this.#compare?.refresh();
  }

  /** The signal in the format of `predict`. */
  get input() {
    return this.#items.map((item) => JSON.parse(item));
  }

  close() {
    this.#follower?.close();
    this.#compare?.close();
  }

  #example() {
    const channels = Array.from({ length: this.#channels }, (_, n) => madeUp(60, 12 + 7 * n));
    return channels[0].map((_, step) => channels.map((channel) => channel[step]).join(", ")).join("\n");
  }

  #take(table) {
    const numeric = table.columns.filter((column) => column.numeric);
    const named = (this.#app.info.columns ?? []).map((name) => numeric.find((column) => column.name === name));
    const chosen = named.length === this.#channels && named.every(Boolean) ? named : numeric.slice(0, this.#channels);
    if (numeric.length && chosen.length < this.#channels) {
      this.#source.say(words("channelsNeeded", { count: this.#channels }));
      return;
    }
    this.#columns = chosen.map(({ name, values }) => ({ name, values: values.slice(0, MOST_STEPS) }));
    this.#given = table.rows;
    this.#items = (this.#columns[0]?.values ?? []).map((_, step) => JSON.stringify(this.#columns.map(({ values }) => values[step])));
    this.#step = null;
    this.#app.working(() => this.#read()).then(() => this.#tell());
  }

  /** The index of the selected step among those that were read; -1 if there are none. */
  get #at() {
    const read = this.#follower?.readOf(this.#items) ?? 0;
    return Math.min(this.#step ?? read - 1, read - 1);
  }

  async #read() {
    this.#compare?.follow(this.#items);
    if (this.#follower) await this.#follower.follow(this.#items);
    else await this.#readWhole(this.#items);
    this.#redraw();
    this.#showInside();
  }

  /** Gates, and what mattered: for the whole signal, or for the prediction of the selected step. */
  #showInside() {
    this.#look?.show(this.#follower, this.#at);
    const at = this.#stepwise ? (this.#step ?? this.#items.length - 1) + 1 : null;
    this.#matter.show(this.#items.length ? { input: { inputs: [this.input] }, at } : null);
  }

  #whole = [];

  /** For bidirectional models: the prediction for the whole signal, or one for each step. */
  async #readWhole(items) {
    if (!items.length) {
      this.#whole = [];
      return;
    }
    const rows = await this.#app.wire.predict(this.#app.name, [items.map((item) => JSON.parse(item))]);
    if (items === this.#items) this.#whole = predictionsOfRows(this.#stepwise ? rows : rows.slice(0, 1), this.#labels);
  }

  #soFar() {
    if (!this.#follower) return this.#whole;
    return this.#follower.answers.slice(0, this.#follower.readOf(this.#items)).flatMap(({ answer }) => predictionsOf(answer));
  }

  #redraw = oncePerFrame(() => this.#draw());

  /** Whether there is a prediction for each step, which can be drawn and selected. */
  get #perStep() {
    return this.#stepwise || this.#follower !== null;
  }

  #pick(step) {
    this.#step = step;
    this.#draw();
    if (this.#stepwise) this.#showInside();
    else this.#look?.show(this.#follower, this.#at);
  }

  #draw() {
    const answers = this.#soFar();
    const at = Math.min(this.#step ?? answers.length - 1, answers.length - 1);
    const steps = this.#columns[0]?.values.length ?? 0;
    const last = Math.max(steps, 2);
    if (steps && answers.length) this.#source.sayRead(this.#perStep ? answers.length : steps, this.#given);
    this.#when.textContent = this.#perStep && answers.length ? words("afterStep", { n: count(at + 1) }) : "";
    const marks = this.#perStep && answers.length ? [{ x: at + 1 }] : [];
    const all = this.#columns.flatMap(({ values }) => values).filter((value) => value !== null);
    const [low, high] = all.length ? [Math.min(...all), Math.max(...all)] : [0, 1];
    const [bottom, top] = spread(low, high);
    const strip = this.#stepwise ? 0.12 * (top - bottom) : 0; // below the signal
    this.#signal.set({ x: [1, last], y: [bottom - strip, top], marks, label: words("signalLabel"), bands: this.#stepwise ? this.#strip(answers, bottom - strip, bottom) : [],
      lines: this.#columns.map(({ name, values }, n) => ({ values: values.map((value) => value ?? NaN), from: 1, class: series(n), name: this.#columns.length > 1 && n < 6 ? name : "" })) });
    if (this.#answers) this.#drawClasses(answers, at, last);
    else this.#drawNumbers(answers, at, last, marks);
  }

  /** Draws a rectangle for each run of steps with the same label, and a legend below the chart. */
  #strip(answers, low, high) {
    const runs = runsOf(answers.map(({ prediction }) => this.#textOf(prediction)));
    const shown = this.#labels.filter((label) => runs.some((run) => run.label === label));
    this.#legend.replaceChildren(...shown.map((label) => h("li", { "data-label": label }, h("span", { class: `key ${this.#colour(label)}`, "aria-hidden": "true" }), label)));
    return runs.map(({ label, from, to }) => {
      const ends = Array(to - from + 2);
      return { low: [...ends.fill(low)], high: [...ends.fill(high)], from: from + 0.5, class: `label ${this.#colour(label)}` };
    });
  }

  #textOf(prediction) {
    return textOf(prediction, this.#app.info);
  }

  #colour(label) {
    return series(this.#labels.indexOf(label));
  }

  #drawClasses(answers, at, last) {
    const history = answers.map(({ probabilities }) => probabilities);
    const known = history.every(Boolean); // a model that decodes a whole label path has no probabilities
    this.#answers.lines.hidden = this.#answers.bars.hidden = !known;
    if (known) this.#answers.set(history, { at, from: 1, last });
    const now = answers[at];
    const label = now && (this.#stepwise ? this.#textOf(now.prediction) : likeliest(now.probabilities, this.#labels));
    const share = now?.probabilities ? h("span", { text: percent(now.probabilities[label]) }) : null;
    this.#verdict.replaceChildren(...(now ? [h("strong", { text: label }), share].filter(Boolean) : [h("strong", { class: "quiet", text: "–" })]));
  }

  #drawNumbers(answers, at, last, marks) {
    const values = answers.map(({ prediction }) => prediction ?? NaN);
    const finite = values.filter(Number.isFinite);
    const [low, high] = finite.length ? [Math.min(...finite), Math.max(...finite)] : [0, 1];
    this.#numbers.set({ x: [1, last], y: spread(low, high), marks, label: words("chartNumbers"), lines: [{ values, from: 1, class: "s0", name: "" }] });
    this.#verdict.replaceChildren(h("strong", { text: values.length ? String(Number(values[at].toPrecision(5))) : "–" }));
  }

  #tell() {
    if (this.#soFar().length) announce(this.#verdict.textContent);
  }
}
