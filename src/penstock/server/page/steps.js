// A model that labels every step: words of a text are coloured by label; a signal has a strip of labels below it.

import { series } from "./colours.js";
import { Compare } from "./compare.js";
import { announce, calm, h, oncePerFrame } from "./elements.js";
import { examplesOf } from "./examples.js";
import { Follower } from "./follower.js";
import { Matter } from "./matter.js";
import { piecesOf, stepsOf } from "./pieces.js";
import { predictionsOf, predictionsOfRows, textOf } from "./predictions.js";
import { SignalView } from "./signal.js";
import { count, percent, words } from "./words.js";

const MOST_WORDS = 1000;
const TYPING = 350; // milliseconds after the last key until the text is read

/** The view for the input of the model; app: see main.js. */
export const view = (app) => (app.info.reads === "text" ? new LabelledText(app) : new SignalView(app));

class LabelledText {
  #app;
  #labels;
  #follower = null;
  #compare = null;
  #pieces = [];
  #matter;
  #at = null; // the selected step; null for the last one
  #whole = []; // predictions of bidirectional models
  #text = h("textarea", { id: "text", rows: 4, sayHint: "textHint", spellcheck: "false", autocomplete: "off" });
  #how = h("p", { class: "quiet small", id: "text-how" });
  #spans = h("ol", { class: "spans" });
  #empty = h("p", { class: "quiet", say: "stepsEmpty" });

  constructor(app) {
    this.#app = app;
    this.#labels = app.info.label_texts;
    if (app.info.streams) this.#follower = new Follower(() => app.wire.stream(app.name), { onChange: () => this.#redraw() });
    if (this.#follower) this.#compare = new Compare(app, { chartWords: "chartSteps" });
    this.#matter = new Matter(app, { labels: this.#labels });
    this.#text.setAttribute("aria-describedby", "text-how");
    this.#text.addEventListener("input", calm(() => this.#take(), TYPING));
    const put = (text) => {
      this.#text.value = text;
      this.#take();
    };
    this.node = h("div", { class: "view" },
      h("section", { class: "card" },
        h("div", { class: "writing" },
          h("label", { for: "text", class: "unseen", say: "textLabel" }), this.#text, this.#how,
          h("div", { class: "chips" },
            ...examplesOf(app.info).map((example) => h("button", { type: "button", class: "chip", text: example.length > 28 ? `${example.slice(0, 28)}…` : example, on: { click: () => put(example) } })),
            h("button", { type: "button", class: "chip plain", say: "clear", on: { click: () => put("") } })))),
      h("section", { class: "card", "aria-labelledby": "spans-title" }, h("h2", { id: "spans-title", say: "stepsHeading" }), this.#empty, this.#spans),
      this.#matter.node, ...(this.#compare ? [this.#compare.node] : []));
    this.#draw();
  }

  resume() {
    return this.#app.working(() => this.#read());
  }

  refresh() {
    this.#draw();
    this.#compare?.refresh();
    this.#matter.refresh();
  }

  /** The text in the format of `predict`. */
  get input() {
    return this.#text.value;
  }

  close() {
    this.#follower?.close();
    this.#compare?.close();
  }

  #take() {
    this.#pieces = piecesOf(this.#text.value).slice(0, MOST_WORDS);
    this.#at = null;
    this.#app.working(() => this.#read()).then(() => announce(this.#how.textContent));
  }

  async #read() {
    const pieces = this.#pieces;
    this.#compare?.follow(pieces);
    if (this.#follower) {
      await this.#follower.follow(pieces);
    } else {
      const rows = pieces.length ? await this.#app.wire.predict(this.#app.name, [pieces.join("\n")]) : [];
      if (pieces === this.#pieces) this.#whole = predictionsOfRows(rows, this.#labels).map((step, n) => ({ ...step, token: step.token ?? String(n + 1) }));
    }
    this.#redraw();
    this.#explain();
  }

  /** What mattered for the label of the selected word. */
  #explain() {
    this.#matter.show(this.#pieces.length ? { input: { inputs: [this.#pieces.join("\n")] }, at: this.#at } : null);
  }

  #pick(step) {
    this.#at = step + 1;
    this.#draw();
    this.#explain();
  }

  #steps() {
    if (!this.#follower) return this.#whole;
    return this.#follower.answers.flatMap(({ answer }, item) => {
      const steps = predictionsOf(answer);
      const names = stepsOf(this.#follower.items[item], steps.length);
      return steps.map((step, n) => ({ ...step, token: step.token ?? names[n] }));
    });
  }

  #redraw = oncePerFrame(() => this.#draw());

  #draw() {
    const steps = this.#steps();
    this.#empty.hidden = steps.length > 0;
    this.#how.textContent = words(this.#pieces.length === MOST_WORDS ? "wordsCut" : this.#pieces.length === 1 ? "wordRead" : "wordsRead", { count: count(this.#pieces.length) });
    this.#spans.replaceChildren(...steps.map((step, n) => this.#span(step, n)));
  }

  #span({ token, prediction, probabilities }, n) {
    const label = textOf(prediction, this.#app.info);
    const p = probabilities?.[label];
    return h("li", { class: series(this.#labels.indexOf(label)), "data-label": label, title: p === undefined ? label : `${label} ${percent(p)}` },
      h("button", { type: "button", class: "word", "aria-pressed": String(n + 1 === this.#at), text: token, on: { click: () => this.#pick(n) } }), h("small", { text: label }));
  }
}
