// Comparison with a second model, which reads the same input.

import { Answers, likeliest } from "./answers.js";
import { h, oncePerFrame } from "./elements.js";
import { Follower } from "./follower.js";
import { predictionsOf } from "./predictions.js";
import { percent } from "./words.js";

export class Compare {
  #app;
  #axis;
  #select;
  #items = [];
  #info = null; // information on the second model
  #follower = null;
  #answers = null;
  #verdict = h("p", { class: "verdict" });
  #host = h("div");

  /** app: see main.js. axis: {chartWords, from}, as for the `Answers` of the view. */
  constructor(app, axis) {
    this.#app = app;
    this.#axis = axis;
    const others = app.models.filter(({ name, task, streams }) => name !== app.name && task === app.info.task && streams);
    const options = others.map(({ name }) => h("option", { value: name, text: name }));
    this.#select = h("select", { id: "compare", on: { change: () => this.#choose() } }, h("option", { value: "", say: "compareNone" }), ...options);
    this.node = h("section", { class: "card", hidden: !others.length, "aria-labelledby": "compare-title" },
      h("h2", { id: "compare-title", say: "compareTitle" }), h("label", { class: "field" }, h("span", { say: "compareWith" }), this.#select), this.#verdict, this.#host);
  }

  /** Read these items with the second model. */
  follow(items) {
    this.#items = items;
    this.#read();
  }

  /** Continue after the server was unavailable, or after a change of language. */
  refresh() {
    this.#read();
    this.#draw();
  }

  close() {
    this.#follower?.close();
  }

  #choose() {
    this.close();
    this.#follower = this.#answers = this.#info = null;
    this.#host.replaceChildren();
    this.#verdict.replaceChildren();
    const name = this.#select.value;
    if (!name) return;
    this.#app.working(async () => {
      this.#info = await this.#app.wire.model(name);
      this.#answers = new Answers(this.#info.label_texts, { ...this.#axis, height: 190, aligned: true });
      this.#follower = new Follower(() => this.#app.wire.stream(name), { every: 64, onChange: () => this.#redraw() });
      this.#host.replaceChildren(this.#answers.bars, this.#answers.lines);
      await this.#follower.follow(this.#items);
      this.#redraw();
    });
  }

  #read() {
    if (this.#follower) this.#app.working(() => this.#follower.follow(this.#items));
  }

  #redraw = oncePerFrame(() => this.#draw());

  #draw() {
    if (!this.#follower) return;
    const history = this.#follower.answers.flatMap(({ answer }) => predictionsOf(answer)).map(({ probabilities }) => probabilities);
    this.#answers.set(history, { from: 1 });
    const now = history.at(-1);
    const label = now && likeliest(now, this.#info.label_texts);
    this.#verdict.replaceChildren(...(now ? [h("strong", { text: label }), h("span", { text: percent(now[label]) })] : [h("strong", { class: "quiet", text: "–" })]));
  }
}
