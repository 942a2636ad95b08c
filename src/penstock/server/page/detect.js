// A detector: the series with the range that was expected, the score beside its threshold, and what was told of rows.

import { Chart } from "./chart.js";
import { announce, calm, choose, h, oncePerFrame } from "./elements.js";
import { examplesOf, linesOf } from "./examples.js";
import { Follower } from "./follower.js";
import { Look } from "./look.js";
import { madeUp, spread } from "./numbers.js";
import { MOST_STEPS, Source } from "./source.js";
import { stepNames } from "./times.js";
import { count, words } from "./words.js";

const NEAR = 200; // rows that are shown while a long series is followed
const MOST_EVENTS = 12;
const CONDITIONS = {
  unseasonal: "conditionUnseasonal",
  outlier: "conditionOutlier",
  "level shift": "conditionLevelShift",
  stuck: "conditionStuck",
  gap: "conditionGap",
  missing: "conditionMissing",
};
const EXAMPLE = { steps: 300, season: 24, odd: 250 };

/** The view of a model; app: see main.js. */
export const view = (app) => new DetectView(app);

class DetectView {
  #app;
  #about;
  #follower;
  #rows = { items: [], targets: {}, times: null, given: 0 };
  #timeOf = null; // the name of a row, if the table has times
  #at = null; // the row that was picked in a chart; null for the last one
  #target = h("select", { id: "target" });
  #near = h("input", { type: "checkbox", id: "near", checked: true });
  #readout = h("p", { class: "readout" });
  #events = h("ol", { class: "events" });
  #empty = h("div", { class: "empty" }, h("p", { say: "empty" }), h("p", { class: "quiet", say: "emptySeries" }));
  #shown = h("div", { hidden: true });
  #values;
  #scores;
  #look;
  #source;

  constructor(app) {
    this.#app = app;
    this.#about = app.info.detection;
    this.#follower = new Follower(() => app.wire.stream(app.name), { every: 64, onChange: () => this.#redraw() });
    this.#look = new Look(app, { traced: (item) => ({ push: item, trace: true }), nameOf: (item) => this.#nameOf(item), onPick: (item) => this.#pick(item) });
    this.#source = new Source({ onTable: (table) => this.#take(table), example, stored: examplesOf(app.info).map(linesOf) });
    const hosts = [h("div"), h("div")];
    const onPick = (row) => this.#pick(row - 1);
    this.#values = new Chart(hosts[0], { height: 260, keys: true, aligned: true, onPick });
    this.#scores = new Chart(hosts[1], { height: 150, keys: true, aligned: true, onPick });
    for (const input of [this.#target, this.#near]) input.addEventListener("change", () => this.#draw());
    this.node = this.#layout(hosts);
  }

  resume() {
    return this.#app.working(() => this.#read());
  }

  refresh() {
    this.#draw();
    this.#look.refresh();
  }

  /** The rows in the format of `predict`. */
  get input() {
    return this.#rows.items.map((item) => JSON.parse(item));
  }

  close() {
    this.#follower.close();
  }

  /** Whether rows are judged when their example is complete, and not each when it arrives. */
  get #examples() {
    return this.#about.window !== undefined;
  }

  #layout(hosts) {
    this.#shown.append(
      h("div", { class: "controls" },
        h("label", { class: "field" }, h("span", { say: "target" }), this.#target),
        h("label", { class: "check" }, this.#near, h("span", { say: "detectNear" }))),
      ...hosts, this.#readout, h("h3", { say: "detectEvents" }), this.#events);
    return h("div", { class: "view" },
      h("section", { class: "card", "aria-labelledby": "series-title" }, h("h2", { id: "series-title", say: "yourSeries" }), this.#source.node),
      h("section", { class: "card", "aria-labelledby": "detect-title" }, h("h2", { id: "detect-title", say: "detectHeading" }), h("p", { class: "quiet", say: this.#examples ? "detectNoteExamples" : "detectNote" }), this.#empty, this.#shown),
      this.#look.node);
  }

  /** Rows by the names of the model's columns where the table has them, else the first columns of numbers. */
  #take(table) {
    const { targets, covariates, time, id, calendar } = this.#about;
    const names = [...targets, ...covariates];
    const numeric = table.columns.filter((column) => column.numeric);
    const byName = names.every((name) => table.columns.some((column) => column.name === name));
    const timed = table.columns.some(({ name }) => name === time);
    if (numeric.length && ((!byName && numeric.length < names.length) || (calendar.length && !(byName && timed)))) {
      this.#source.say(words("columnsNeeded", { columns: [...(calendar.length ? [time] : []), ...names].join(", ") }));
      return;
    }
    const start = Math.max(0, table.rows - MOST_STEPS);
    const chosen = names.map((name, n) => (byName ? table.columns.find((column) => column.name === name) : numeric[n]));
    const rows = chosen[0] ? range(start, table.rows) : [];
    const cells = byName && timed ? table.columns.find(({ name }) => name === time).cells : null;
    const ids = id === null ? null : table.columns.find(({ name }) => name === id)?.cells; // a stream refuses a second series
    const itemOf = (row) => {
      const own = chosen.map(({ values }) => values[row]);
      return JSON.stringify(byName ? { ...(cells && { [time]: cells[row] }), ...(ids && { [id]: ids[row] }), ...Object.fromEntries(names.map((name, n) => [name, own[n]])) } : own);
    };
    const items = rows.map(itemOf);
    this.#rows = { items, targets: Object.fromEntries(targets.map((name, n) => [name, rows.map((row) => chosen[n].values[row] ?? NaN)])), given: table.rows };
    this.#timeOf = cells && stepNames(cells.slice(start));
    this.#at = null;
    this.#app.working(() => this.#read()).then(() => announce(this.#readout.textContent));
  }

  async #read() {
    await this.#follower.follow(this.#rows.items);
    this.#redraw();
    this.#pick(this.#at ?? this.#rows.items.length - 1);
  }

  #pick(row) {
    const last = this.#follower.readOf(this.#rows.items) - 1;
    this.#at = row < last ? row : null;
    this.#draw();
    this.#look.show(this.#follower, Math.min(row, last));
  }

  #redraw = oncePerFrame(() => this.#draw());

  #draw() {
    const read = this.#follower.readOf(this.#rows.items);
    this.#empty.hidden = read > 0;
    this.#shown.hidden = !read;
    if (!read) return;
    choose(this.#target, this.#about.targets.map((name) => ({ value: name, text: name })));
    this.#target.closest("label").hidden = this.#about.targets.length < 2;
    this.#near.closest("label").hidden = read <= NEAR;
    this.#source.sayRead(read, this.#rows.given);
    const told = this.#follower.answers.slice(0, read).map(({ answer }) => answer);
    const answers = told.flatMap(rowsOf);
    const first = this.#near.checked ? Math.max(0, read - NEAR) : 0;
    this.#drawValues(answers, first, read);
    this.#drawScores(answers, first, read);
    this.#say(answers);
    if (this.#examples) this.#sayExamples(told.filter(({ rows }) => rows), read - answers.length);
  }

  #of(found) {
    const value = found !== null && typeof found === "object" ? found[this.#target.value || this.#about.targets[0]] : found;
    return value ?? NaN;
  }

  #drawValues(answers, first, read) {
    const target = this.#target.value || this.#about.targets[0];
    const values = this.#rows.targets[target].slice(first, read);
    const shown = answers.slice(first);
    const [low, high] = ["low", "high"].map((name) => shown.map((answer, n) => firstFinite(this.#of(answer[name]), values[n])));
    const all = [...values, ...low, ...high].filter(Number.isFinite);
    this.#values.set({
      x: [first + 1, Math.max(read, first + 2)],
      y: spread(Math.min(...all), Math.max(...all)),
      xName: (row) => this.#nameOf(row - 1),
      label: words("detectChart"),
      bands: runs(low, high, first + 1),
      lines: [{ values, from: first + 1, class: "ink", name: target }, { values: shown.map((answer) => this.#of(answer.expected)), from: first + 1, class: "s0", name: words("detectExpected") }],
      marks: this.#marks(shown, first),
    });
  }

  #drawScores(answers, first, read) {
    const shown = answers.slice(first);
    const [scores, limits] = ["score", "threshold"].map((name) => shown.map((answer) => answer[name] ?? NaN));
    const all = [0, ...scores, ...limits].filter(Number.isFinite);
    this.#scores.set({
      x: [first + 1, Math.max(read, first + 2)],
      y: [0, spread(0, Math.max(1, ...all))[1]],
      xName: (row) => this.#nameOf(row - 1),
      label: words("detectScores"),
      lines: [{ values: scores, from: first + 1, class: "s0", name: words("detectScore") }, { values: limits, from: first + 1, class: "s1", name: words("detectThreshold") }],
      marks: this.#marks(shown, first),
    });
  }

  #marks(shown, first) {
    const alarms = shown.flatMap(({ prediction }, n) => (prediction ? [{ x: first + 1 + n, class: "alarm s4" }] : []));
    return this.#at === null || this.#at < first ? alarms : [...alarms, { x: this.#at + 1 }];
  }

  /** How many alarms there were, and the latest conditions; rows in a row with the same one are one event. */
  #say(answers) {
    const begins = (n, of) => n === 0 || of(answers[n]) !== of(answers[n - 1]);
    const alarms = answers.filter(({ prediction }, n) => prediction && begins(n, (answer) => answer.prediction)).length;
    this.#readout.textContent = words(alarms === 1 ? "detectOne" : "detectCount", { alarms: count(alarms), rows: count(answers.length) });
    const told = range(0, answers.length).filter((n) => answers[n].condition && answers[n].condition !== "probation" && begins(n, (answer) => answer.condition));
    this.#events.replaceChildren(...told.slice(-MOST_EVENTS).reverse().map((n) => this.#event(answers[n], n)));
    if (!told.length) this.#events.replaceChildren(h("li", { class: "quiet", text: words("detectNothing") }));
  }

  /** Of a model that reproduces examples: how many were complete and flagged, and how many rows wait for the end of theirs. */
  #sayExamples(examples, waiting) {
    const flagged = examples.filter(({ prediction }) => prediction).length;
    this.#readout.textContent += ` ${words("detectExamples", { flagged: count(flagged), examples: count(examples.length), rows: count(waiting) })}`;
  }

  #event({ condition, score, threshold, missing }, n) {
    const how = condition === "missing" ? missing.join(", ") : Number.isFinite(score) ? words("detectHow", { score: score.toFixed(2), threshold: (threshold ?? NaN).toFixed(2) }) : "";
    return h("li", { "data-condition": condition }, h("strong", { text: words(CONDITIONS[condition]) }), ` ${this.#nameOf(n)} `, h("span", { class: "quiet", text: how }));
  }

  #nameOf(row) {
    return this.#timeOf?.(row) ?? count(row + 1);
  }
}

/** A season that repeats, with a value out of place near its end. */
function example() {
  const values = madeUp(EXAMPLE.steps, EXAMPLE.season);
  values[EXAMPLE.odd] = String(3 * Number(values[EXAMPLE.odd]));
  return values.join("\n");
}

/** What is said of rows by an answer: of one, of all those of an example that is complete, or of none. */
const rowsOf = (answer) => ("score" in answer ? (answer.rows ?? [answer]) : []);

/** Bands without the rows whose range is unknown. */
function runs(low, high, from) {
  const found = [];
  for (let n = 0; n < low.length; n += 1) {
    if (!Number.isFinite(low[n]) || !Number.isFinite(high[n])) continue;
    if (n === 0 || !Number.isFinite(low[n - 1]) || !Number.isFinite(high[n - 1])) found.push({ low: [], high: [], from: from + n, class: "s0" });
    found.at(-1).low.push(low[n]);
    found.at(-1).high.push(high[n]);
  }
  return found;
}

const firstFinite = (...values) => values.find(Number.isFinite) ?? NaN;
const range = (start, end) => Array.from({ length: Math.max(end - start, 0) }, (_, n) => start + n);
