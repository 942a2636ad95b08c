// The text with each word coloured by its effect on the prediction, and the number below it.

import { against, css, inkOn, onScheme } from "./colours.js";
import { choose, h, segmented } from "./elements.js";
import { signed, words } from "./words.js";

export class Changes {
  #strip = h("ol", { class: "strip" });
  #why = h("p", { class: "quiet" });
  #note = h("p", { class: "note", role: "status" });
  #label = h("select");
  #labels;
  #likeliest = "";
  #way;
  #shown = { pieces: [], changes: null };
  #onPick;
  #focus = 0;

  /**
   * labels: the classes. streams: whether there is a prediction after each word. onPick(word): the user chose a word.
   * onChange(): the user chose another class or method.
   */
  constructor(labels, { streams, onPick, onChange }) {
    this.#labels = labels;
    this.#way = streams ? "stream" : "out";
    this.#onPick = onPick;
    const ways = segmented("way", "changedWay", [["stream", "changedStream"], ["out", "changedOut"]], (way) => {
      this.#way = way;
      onChange();
    });
    ways.hidden = !streams;
    this.#label.addEventListener("change", onChange);
    this.#strip.addEventListener("keydown", (event) => this.#key(event));
    this.node = h("section", { class: "card", "aria-labelledby": "changed-title" },
      h("h2", { id: "changed-title", say: "changed" }),
      h("div", { class: "controls" }, ways, h("label", { class: "field" }, h("span", { say: "changedClass" }), this.#label)),
      this.#why, this.#strip, this.#note);
    onScheme(() => this.set(this.#shown));
  }

  /** "stream" or "out". */
  get way() {
    return this.#way;
  }

  /** The class whose log-odds are shown. */
  get label() {
    return this.#label.value || this.#likeliest;
  }

  /** Set the most likely class; it is shown unless the user chose another one. */
  offer(likeliest) {
    this.#likeliest = likeliest;
    choose(this.#label, [{ value: "", text: `${likeliest} (${words("likeliest")})` }, ...this.#labels.map((label) => ({ value: label, text: label }))]);
  }

  /** changes: a number for each piece, or null if not available; note: a text about that. */
  set({ pieces, changes, note = "" }) {
    this.#shown = { pieces, changes, note };
    this.node.hidden = !pieces.length;
    this.#why.textContent = words(this.#way === "stream" ? "changedStreamWhy" : "changedOutWhy", { label: this.label });
    this.#note.textContent = note;
    const scale = Math.max(1.5, ...(changes ?? []).map(Math.abs));
    this.#strip.replaceChildren(...pieces.map((piece, n) => this.#word(piece, n, changes?.[n], scale)));
    this.point(Math.min(this.#focus, pieces.length - 1));
  }

  /** Select a word without calling onPick. */
  point(word) {
    this.#focus = Math.max(word, 0);
    for (const [n, { firstChild: button }] of [...this.#strip.children].entries()) {
      button.tabIndex = n === this.#focus ? 0 : -1;
      button.toggleAttribute("aria-current", n === this.#focus);
    }
  }

  #word(piece, n, change, scale) {
    const number = change === undefined ? "·" : signed(change);
    const button = h("button", { type: "button", "aria-label": words("wordChange", { word: piece, change: number }), on: { click: () => this.#onPick(n) } },
      h("span", { text: piece }), h("small", { text: number }));
    if (change !== undefined) {
      const colour = against(change / scale);
      button.style.background = css(colour);
      button.style.color = inkOn(colour);
      button.dataset.change = change;
    }
    return h("li", {}, button);
  }

  #key(event) {
    const moves = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
    if (!(event.key in moves)) return;
    event.preventDefault();
    const last = this.#strip.children.length - 1;
    const to = Math.min(Math.max(this.#focus + moves[event.key], 0), last);
    this.#onPick(to);
    this.#strip.children[to].firstChild.focus();
  }
}
