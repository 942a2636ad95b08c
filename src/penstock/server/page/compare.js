// Comparison with a second model, which reads the same input.

import { Answers, likeliest } from "./answers.js";
import { Chart } from "./chart.js";
import { h, oncePerFrame } from "./elements.js";
import { Follower } from "./follower.js";
import { spread } from "./numbers.js";
import { predictionsOf, textOf } from "./predictions.js";
import { percent, words } from "./words.js";

export class Compare {
  #app;
  #how;
  #select;
  #items = [];
  #info = null; // information on the second model
  #follower = null;
  #answers = null;
  #numbers = null;
  #verdict = h("p", { class: "verdict" });
  #host = h("div");

  /**
   * app: see main.js. chartWords: as for the `Answers` of the view. message: as for its `Follower`.
   * onChange(): there are other predictions; for views that draw the second model's forecasts themselves.
   */
  constructor(app, how) {
    this.#app = app;
    this.#how = how;
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

  /** {name, answer}: the second model's prediction after an item; null if there is none. */
  at(item) {
    const answer = this.#follower?.answers[item]?.answer;
    return answer ? { name: this.#select.value, answer } : null;
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
    this.#follower = this.#answers = this.#numbers = this.#info = null;
    this.#host.replaceChildren();
    this.#verdict.replaceChildren();
    this.#how.onChange?.();
    const name = this.#select.value;
    if (!name) return;
    this.#app.working(async () => {
      const info = await this.#app.wire.model(name);
      if (name !== this.#select.value) return;
      this.#info = info;
      if (info.sample_rate !== this.#app.info.sample_rate) {
        this.#verdict.replaceChildren(h("span", { class: "quiet", text: words("compareRate", { rate: info.sample_rate }) }));
        return;
      }
      this.#open(name);
      await this.#follower.follow(this.#items);
      this.#redraw();
    });
  }

  #open(name) {
    const { chartWords, message } = this.#how;
    if (this.#info.label_texts?.length) {
      this.#answers = new Answers(this.#info.label_texts, { chartWords, height: 190, aligned: true });
      this.#host.replaceChildren(this.#answers.bars, this.#answers.lines);
    } else if (!this.#info.forecast) {
      this.#numbers = new Chart(this.#host, { height: 190, aligned: true });
    }
    this.#follower = new Follower(() => this.#app.wire.stream(name), { every: 64, onChange: () => this.#redraw(), ...(message && { message }) });
  }

  #read() {
    if (this.#follower) this.#app.working(() => this.#follower.follow(this.#items));
  }

  #redraw = oncePerFrame(() => this.#draw());

  #draw() {
    this.#how.onChange?.();
    if (!this.#follower || this.#info.forecast) return;
    const steps = this.#follower.answers.flatMap(({ answer }) => predictionsOf(answer));
    const now = steps.at(-1);
    if (this.#numbers) this.#drawNumbers(steps.map(({ prediction }) => prediction ?? NaN));
    else this.#drawClasses(steps, now);
    if (!now) this.#verdict.replaceChildren(h("strong", { class: "quiet", text: "–" }));
  }

  #drawClasses(steps, now) {
    const history = steps.map(({ probabilities }) => probabilities);
    const known = history.every(Boolean); // a model that decodes a whole label path has no probabilities
    this.#host.hidden = !known;
    if (known) this.#answers.set(history, { from: 1 });
    if (!now) return;
    const label = known ? likeliest(now.probabilities, this.#info.label_texts) : textOf(now.prediction, this.#info);
    this.#verdict.replaceChildren(h("strong", { text: label }), ...(known ? [h("span", { text: percent(now.probabilities[label]) })] : []));
  }

  #drawNumbers(values) {
    const finite = values.filter(Number.isFinite);
    const y = finite.length ? spread(Math.min(...finite), Math.max(...finite)) : [0, 1];
    this.#numbers.set({ x: [1, Math.max(values.length, 2)], y, marks: [], label: words("chartNumbers"), lines: [{ values, from: 1, class: "s0", name: "" }] });
    if (values.length) this.#verdict.replaceChildren(h("strong", { text: String(Number(values.at(-1).toPrecision(5))) }));
  }
}
