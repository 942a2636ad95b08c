// A classifier of signals, or a model that foretells a number from them: the signal, and the answer after each step.

import { Answers, likeliest } from "./answers.js";
import { Chart } from "./chart.js";
import { series } from "./colours.js";
import { announce, h, oncePerFrame } from "./elements.js";
import { Follower } from "./follower.js";
import { madeUp } from "./numbers.js";
import { MOST_STEPS, Source } from "./source.js";
import { count, percent, words } from "./words.js";

export class SignalView {
  #app;
  #labels;
  #channels;
  #follower;
  #columns = [];
  #given = 0;
  #items = [];
  #step = null; // the step at hand; null for the last one
  #verdict = h("p", { class: "verdict" });
  #when = h("p", { class: "quiet small" });
  #answers = null;
  #signal;
  #numbers = null;
  #source;

  /** app: as of main.js. */
  constructor(app) {
    this.#app = app;
    this.#labels = app.info.label_texts ?? []; // none where the answer is a number
    this.#channels = app.info.channels;
    this.#follower = app.info.streams ? new Follower(() => app.wire.stream(app.name), { every: 64, onChange: () => this.#redraw() }) : null;
    this.#source = new Source({ onTable: (table) => this.#take(table), example: () => this.#example() });
    const [signal, numbers] = [h("div"), h("div")];
    const onPick = (step) => this.#pick(step - 1);
    this.#signal = new Chart(signal, { height: 200, keys: true, onPick });
    if (this.#labels.length) this.#answers = new Answers(this.#labels, { chartWords: "chartSteps", onPick, height: 200 });
    else this.#numbers = new Chart(numbers, { height: 200, onPick });
    const answer = h("div", { class: "answer" }, h("h2", { class: "small-title", say: "answerSoFar" }), this.#verdict, this.#when, this.#answers?.bars);
    this.node = h("div", { class: "view" },
      h("section", { class: "card pair" }, h("div", {}, h("h2", { class: "small-title", say: "yourSeries" }), this.#source.node), answer),
      h("section", { class: "card", "aria-labelledby": "signal-title" }, h("h2", { id: "signal-title", say: "signalTitle" }), signal,
        this.#follower ? h("h3", { say: "overTime" }) : h("p", { class: "notice", say: "whole" }), this.#follower ? (this.#answers?.lines ?? numbers) : null));
    this.#draw();
  }

  resume() {
    return this.#app.working(() => this.#read());
  }

  refresh() {
    this.#draw();
  }

  close() {
    this.#follower?.close();
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

  async #read() {
    if (this.#follower) await this.#follower.follow(this.#items);
    else await this.#readWhole(this.#items);
    this.#redraw();
  }

  #whole = [];

  /** For models that read in both directions: the answer stands at the last step. */
  async #readWhole(items) {
    if (!items.length) {
      this.#whole = [];
      return;
    }
    const [row] = await this.#app.wire.predict(this.#app.name, [items.map((item) => JSON.parse(item))]);
    const probabilities = Object.fromEntries(this.#labels.map((label) => [label, row[`probability_${label}`]]));
    if (items === this.#items) this.#whole = [this.#labels.length ? { probabilities } : { prediction: row.prediction }];
  }

  #soFar() {
    if (!this.#follower) return this.#whole;
    return this.#follower.answers.slice(0, this.#follower.readOf(this.#items)).map(({ answer }) => answer);
  }

  #redraw = oncePerFrame(() => this.#draw());

  #pick(step) {
    this.#step = step;
    this.#draw();
  }

  #draw() {
    const answers = this.#soFar();
    const at = Math.min(this.#step ?? answers.length - 1, answers.length - 1);
    const steps = this.#columns[0]?.values.length ?? 0;
    const last = Math.max(steps, 2);
    if (steps && answers.length) this.#source.sayRead(this.#follower ? answers.length : steps, this.#given);
    this.#when.textContent = this.#follower && answers.length ? words("afterStep", { n: count(at + 1) }) : "";
    const marks = this.#follower && answers.length ? [{ x: at + 1 }] : [];
    const all = this.#columns.flatMap(({ values }) => values).filter((value) => value !== null);
    const [low, high] = all.length ? [Math.min(...all), Math.max(...all)] : [0, 1];
    this.#signal.set({ x: [1, last], y: spread(low, high), marks, label: words("signalLabel"),
      lines: this.#columns.map(({ name, values }, n) => ({ values: values.map((value) => value ?? NaN), from: 1, class: series(n), name: this.#columns.length > 1 && n < 6 ? name : "" })) });
    if (this.#answers) this.#drawClasses(answers, at, last);
    else this.#drawNumbers(answers, at, last, marks);
  }

  #drawClasses(answers, at, last) {
    const history = answers.map(({ probabilities }) => probabilities);
    this.#answers.set(history, { at, from: 1, last });
    const label = history.length ? likeliest(history[at], this.#labels) : null;
    this.#verdict.replaceChildren(...(label ? [h("strong", { text: label }), h("span", { text: percent(history[at][label]) })] : [h("strong", { class: "quiet", text: "–" })]));
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

function spread(low, high) {
  const margin = 0.08 * (high - low || 1);
  return [low - margin, high + margin];
}
