// A second model's prediction for the whole of the same input, for views that do not show it step by step.

import { h } from "./elements.js";

export class Beside {
  #app;
  #show;
  #input = null;
  #rows = null; // what the second model says of the input
  #asked = 0; // counts requests, so that a late response is ignored
  #select;
  #host = h("div", { class: "beside", "aria-live": "polite" });

  /** app: see main.js. show(rows): elements for what `predict` returns for one input. */
  constructor(app, show) {
    this.#app = app;
    this.#show = show;
    const others = app.models.filter(({ name, task }) => name !== app.name && task === app.info.task);
    const options = others.map(({ name }) => h("option", { value: name, text: name }));
    this.#select = h("select", { id: "compare", on: { change: () => this.read(this.#input) } }, h("option", { value: "", say: "compareNone" }), ...options);
    this.node = h("section", { class: "card", hidden: !others.length, "aria-labelledby": "compare-title" },
      h("h2", { id: "compare-title", say: "compareTitle" }), h("label", { class: "field" }, h("span", { say: "compareWith" }), this.#select), this.#host);
  }

  /** Predict with the second model, if one is chosen; input: in the format of `predict`, or null for none. */
  async read(input) {
    const asked = (this.#asked += 1);
    const name = this.#select.value;
    this.#input = input;
    this.#rows = null;
    this.refresh();
    if (!name || input === null) return;
    await this.#app.working(async () => {
      const rows = await this.#app.wire.predict(name, [input]);
      if (asked !== this.#asked) return;
      this.#rows = rows;
      this.refresh();
    });
  }

  /** Draw again, after a change of language or of what it is compared with. */
  refresh() {
    this.#host.replaceChildren(...(this.#rows ? this.#show(this.#rows) : []));
  }
}
