// The input of a series: typed, pasted, dropped or chosen as a file, or an example.

import { calm, h } from "./elements.js";
import { parseTable } from "./numbers.js";
import { count, words } from "./words.js";

export const MOST_STEPS = 3000;
const MOST_BYTES = 4 << 20;

export class Source {
  #text = h("textarea", { id: "numbers", class: "numbers", rows: 4, sayHint: "numbersHint", spellcheck: "false", autocomplete: "off" });
  #file = h("input", { type: "file", id: "file", class: "unseen", accept: ".csv,.tsv,.txt,text/csv,text/plain" });
  #how = h("p", { class: "quiet small", id: "numbers-how", role: "status" });
  #onTable;

  /** onTable(table): a new table from `parseTable`. example(): a generated text. stored: examples of the model. */
  constructor({ onTable, example, stored = [] }) {
    this.#onTable = onTable;
    this.#text.addEventListener("input", calm(() => this.#read(this.#text.value), 250));
    this.#text.setAttribute("aria-describedby", "numbers-how");
    this.#file.addEventListener("change", () => this.#take(this.#file.files[0]));
    this.node = h("div", { class: "writing" },
      h("label", { for: "numbers", class: "unseen", say: "numbersLabel" }), this.#text,
      h("div", { class: "chips" },
        this.#file, h("label", { for: "file", class: "chip file", say: "chooseCsv" }),
        ...stored.map((text, n) => h("button", { type: "button", class: "chip stored", text: words("exampleNumber", { n: n + 1 }), on: { click: () => this.#put(text) } })),
        h("button", { type: "button", class: "chip", say: "madeUp", on: { click: () => this.#put(example()) } }),
        h("button", { type: "button", class: "chip plain", say: "clear", on: { click: () => this.#put("") } })),
      this.#how);
    this.node.addEventListener("dragover", (event) => event.preventDefault());
    this.node.addEventListener("drop", (event) => {
      event.preventDefault();
      this.#take(event.dataTransfer.files[0]);
    });
  }

  /** Show how many steps were read, or an error. */
  say(text) {
    this.#how.textContent = text;
  }

  sayRead(steps, given) {
    this.say(given > MOST_STEPS ? words("stepsCut", { count: count(MOST_STEPS) }) : words("stepsRead", { count: count(steps) }));
  }

  async #take(file) {
    if (!file) return;
    if (file.size > MOST_BYTES) this.say(words("fileTooLarge"));
    else this.#put(await file.text());
    this.#file.value = "";
  }

  #put(text) {
    this.#text.value = text;
    this.#read(text);
  }

  #read(text) {
    const table = parseTable(text);
    if (text.trim() && !table.columns.some(({ numeric }) => numeric)) this.say(words("noNumbers"));
    this.#onTable(table);
  }
}
