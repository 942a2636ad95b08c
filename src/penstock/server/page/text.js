// A text classifier that shows its prediction after each word.

import { Answers, likeliest } from "./answers.js";
import { Changes } from "./changes.js";
import { announce, calm, h, oncePerFrame } from "./elements.js";
import { Compare } from "./compare.js";
import { examplesOf } from "./examples.js";
import { Follower } from "./follower.js";
import { Inside } from "./inside.js";
import { attributionOf, byPiece } from "./matter.js";
import { changesAlong, probabilitiesOf } from "./odds.js";
import { piecesOf, stepsOf } from "./pieces.js";
import { count, percent, words } from "./words.js";

const MOST_WORDS = 1000;
const STILL_TYPING = 350; // milliseconds after the last key until an unfinished word counts as a word

/** The view of a model; app: see main.js. */
export const view = (app) => new TextView(app);

class TextView {
  #app;
  #labels;
  #follower = null;
  #first = null; // probabilities before the first word
  #pieces = [];
  #focus = null; // the selected word; null for the last one
  #out = { key: "", changes: null, note: "" };
  #text = h("textarea", { id: "text", rows: 5, sayHint: "textHint", spellcheck: "false", autocomplete: "off" });
  #how = h("p", { class: "quiet small", id: "text-how" });
  #verdict = h("p", { class: "verdict" });
  #when = h("p", { class: "quiet small" });
  #answers;
  #changes;
  #inside;
  #compare = null;

  /** app: the wire, the model's name and info, and functions that run work and report failures; see main.js. */
  constructor(app) {
    this.#app = app;
    this.#labels = app.info.label_texts;
    this.#answers = new Answers(this.#labels, { chartWords: "chartProbabilities", onPick: (word) => this.#pick(word - 1), height: 190 });
    this.#changes = new Changes(this.#labels, { streams: app.info.streams, onPick: (word) => this.#pick(word), onChange: () => this.#redraw() });
    this.#inside = new Inside({ onPick: (step) => this.#pick(this.#wordOf(step)) });
    if (app.info.streams) {
      this.#follower = new Follower(() => app.wire.stream(app.name), { message: (piece) => ({ push: piece, trace: true }), onChange: () => this.#redraw() });
    }
    if (this.#follower) this.#compare = new Compare(app, { chartWords: "chartProbabilities" });
    this.#text.setAttribute("aria-describedby", "text-how");
    this.#text.addEventListener("input", (event) => event.isComposing || this.#typed());
    this.#text.addEventListener("compositionend", () => this.#typed());
    this.node = this.#layout();
    this.#inside.set([]);
    this.#draw();
    this.resume();
  }

  /** Continue after the server was unavailable. */
  async resume() {
    await this.#app.working(async () => {
      this.#first ??= this.#follower ? (await this.#follower.nothing()).probabilities : await this.#whole([""]).then(([row]) => row);
      await this.#read();
    });
  }

  /** Update the texts after a change of language. */
  refresh() {
    this.#draw();
    this.#inside.refresh();
    this.#compare?.refresh();
  }

  /** The text in the format of `predict`. */
  get input() {
    return this.#text.value;
  }

  close() {
    this.#follower?.close();
    this.#compare?.close();
  }

  #layout() {
    const examples = examplesOf(this.#app.info).map((example) => h("button", { type: "button", class: "chip", text: example.length > 28 ? `${example.slice(0, 28)}…` : example, on: { click: () => this.#put(example) } }));
    const writing = h("div", { class: "writing" },
      h("label", { for: "text", class: "unseen", say: "textLabel" }), this.#text, this.#how,
      h("div", { class: "chips" }, examples.length ? h("span", { class: "quiet small", say: "examples" }) : null, ...examples, h("button", { type: "button", class: "chip plain", say: "clear", on: { click: () => this.#put("") } })));
    const answer = h("div", { class: "answer" }, h("h2", { class: "small-title", say: "answerSoFar" }), this.#verdict, this.#when, this.#answers.bars);
    return h("div", { class: "view" },
      h("section", { class: "card pair" }, writing, answer, h("div", { class: "wide", hidden: !this.#follower }, this.#answers.lines)),
      this.#changes.node, this.#compare?.node,
      this.#follower ? this.#inside.node : h("p", { class: "notice", say: "whole" }));
  }

  #put(text) {
    this.#text.value = text;
    this.#text.focus();
    this.#typed(true);
  }

  #typed(finished = false) {
    this.#focus = null;
    const text = this.#text.value;
    const all = piecesOf(text).slice(0, MOST_WORDS);
    // The last word may be incomplete: it is read when the user pauses.
    const unfinished = !finished && /[\p{L}\p{N}\p{M}'’]$/u.test(text) && !/[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}]$/u.test(text);
    this.#pieces = unfinished ? all.slice(0, -1) : all;
    this.#app.working(() => this.#read());
    this.#settle(all);
  }

  #settle = calm((all) => {
    this.#pieces = all;
    this.#app.working(() => this.#read()).then(() => this.#tell());
  }, STILL_TYPING);

  async #read() {
    const pieces = this.#pieces;
    this.#compare?.follow(pieces);
    if (this.#follower) await this.#follower.follow(pieces);
    else await this.#readWhole(pieces);
    this.#redraw();
  }

  /** Predict for the whole text, for bidirectional models. */
  async #readWhole(pieces) {
    const [probabilities] = await this.#whole([pieces.join("\n")]);
    if (pieces === this.#pieces) this.#answered = { pieces, history: pieces.length ? [probabilities] : [] };
  }

  #answered = { pieces: [], history: [] };

  async #whole(texts) {
    const rows = await this.#app.wire.predict(this.#app.name, texts);
    return rows.map((row) => probabilitiesOf(row, this.#labels));
  }

  /** {pieces, history}: the pieces that were read, and the probabilities after each of them. */
  #soFar() {
    if (!this.#follower) return this.#answered;
    return { pieces: this.#follower.items, history: this.#follower.answers.map(({ answer }) => answer.probabilities) };
  }

  #redraw = oncePerFrame(() => {
    this.#draw();
    if (this.#follower) this.#inside.set(this.#steps());
    this.#point();
  });

  #draw() {
    const { pieces, history } = this.#soFar();
    const at = history.length - 1 - (this.#follower ? pieces.length - 1 - this.#at(pieces) : 0);
    const now = history[at] ?? this.#first;
    const all = this.#first ? [this.#first, ...history] : history;
    this.#answers.set(all, { at: at + 1, xName: (n) => (n === 0 ? "" : count(n)), last: 8 });
    this.#how.textContent = words(pieces.length === MOST_WORDS ? "wordsCut" : pieces.length === 1 ? "wordRead" : "wordsRead", { count: count(pieces.length) });
    this.#saySoFar(now, pieces, at);
    if (now) this.#changes.offer(likeliest(history.at(-1) ?? now, this.#labels));
    this.#drawChanges(pieces, history);
  }

  #saySoFar(now, pieces, at) {
    const label = now && pieces.length ? likeliest(now, this.#labels) : null;
    this.#verdict.replaceChildren(...(label ? [h("strong", { text: label }), h("span", { text: percent(now[label]) })] : [h("strong", { class: "quiet", text: "–" })]));
    this.#when.hidden = !this.#follower;
    this.#when.textContent = pieces.length ? words("afterWord", { word: pieces[at], n: count(at + 1) }) : words("before");
  }

  #drawChanges(pieces, history) {
    const label = this.#changes.label;
    if (this.#changes.way === "stream") {
      this.#changes.set({ pieces, changes: this.#first && changesAlong(this.#first, history, label) });
      return;
    }
    const known = this.#out.key === `${label}\n${pieces.join("\n")}`;
    this.#changes.set({ pieces, changes: known ? this.#out.changes : null, note: known ? this.#out.note : words("matterAsking") });
    if (!known && pieces.length) this.#replace();
  }

  /** Let the server replace each word in turn, when the user pauses. */
  #replace = calm(() => {
    const [pieces, label] = [[...this.#soFar().pieces], this.#changes.label];
    this.#app.working(async () => {
      const found = await attributionOf(this.#app, { inputs: [pieces.join("\n")] }, { target: label });
      this.#out = { key: `${label}\n${pieces.join("\n")}`, changes: found.note ? null : byPiece(found, pieces.length), note: found.note ?? "" };
      this.#redraw();
    });
  }, 250);

  #steps() {
    const steps = [];
    this.#starts = [];
    for (const [n, { trace }] of this.#follower.answers.entries()) {
      this.#starts.push(steps.length);
      const names = stepsOf(this.#follower.items[n], trace.length);
      trace.forEach((layers, step) => steps.push({ name: names[step], layers }));
    }
    this.#starts.push(steps.length);
    return steps;
  }

  #starts = []; // the first step of each word, and the end of the last one

  #wordOf(step) {
    return Math.max(this.#starts.findIndex((start) => start > step) - 1, 0);
  }

  #at(pieces) {
    return this.#focus === null ? pieces.length - 1 : Math.min(this.#focus, pieces.length - 1);
  }

  #pick(word) {
    const { pieces } = this.#soFar();
    if (!pieces.length) return;
    this.#focus = Math.min(Math.max(word, 0), pieces.length - 1);
    this.#draw();
    this.#point(word);
  }

  #point() {
    const at = this.#at(this.#soFar().pieces);
    this.#changes.point(at);
    const last = (this.#starts[at + 1] ?? 1) - 1;
    if (this.#follower && this.#wordOf(this.#inside.step) !== at) this.#inside.point(last);
  }

  #tell() {
    const { history } = this.#soFar();
    if (!history.length) return;
    const label = likeliest(history.at(-1), this.#labels);
    announce(words("announceAnswer", { label, p: percent(history.at(-1)[label]) }));
  }
}
