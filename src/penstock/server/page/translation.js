// A translator: the translation of a text, the other ones that the search found, and what each word attended to.

import { Beside } from "./beside.js";
import { against, css, inkOn, onScheme } from "./colours.js";
import { announce, calm, h, svg } from "./elements.js";
import { examplesOf } from "./examples.js";
import { percent, words } from "./words.js";

const STILL_TYPING = 450; // milliseconds after the last key until the text is translated
const [CELL, WIDEST, NARROW] = [26, 34, 12]; // height, and largest and smallest width of a cell in CSS pixels
const LEAST = 0.005; // the least weight that is worth a mention
const END = "</s>";

/** The view of a model; app: see main.js. */
export const view = (app) => new TranslationView(app);

class TranslationView {
  #app;
  #found = []; // the translations of the text, the best first
  #chosen = 0;
  #word = null; // the selected token of the translation
  #asked = 0; // counts requests, so that a late response is ignored
  #text = h("textarea", { id: "text", rows: 4, sayHint: "textHint", spellcheck: "false", autocomplete: "off" });
  #beam;
  #best = h("p", { class: "translated", "aria-live": "polite", dir: "auto" });
  #others = h("ol", { class: "others-list" });
  #source = h("p", { class: "coloured aligned", dir: "auto" });
  #target = h("p", { class: "coloured aligned", dir: "auto" });
  #readout = h("p", { class: "readout", "aria-live": "polite" });
  #map = h("div", { class: "alignment", tabindex: 0, role: "group", sayLabel: "translationMap" });
  #aligned;
  #beside;

  constructor(app) {
    this.#app = app;
    const size = app.info.search.beam;
    this.#beam = h("input", { type: "number", class: "number", min: 1, max: 16, step: 1, value: size, on: { change: () => this.#translate() } });
    this.#text.addEventListener("input", (event) => event.isComposing || this.#settle());
    this.#text.addEventListener("compositionend", () => this.#settle());
    this.#beside = new Beside(app, ([{ prediction }]) => [h("p", { class: "translated", dir: "auto", text: prediction || words("translationEmpty") })]);
    this.node = this.#layout();
    new ResizeObserver(() => this.#drawMap()).observe(this.#map);
    onScheme(() => this.#draw());
    this.#draw();
  }

  resume() {
    return this.#translate();
  }

  refresh() {
    this.#draw();
    this.#beside.refresh();
  }

  /** The text in the format of `predict`. */
  get input() {
    return this.#text.value;
  }

  close() {}

  #layout() {
    const put = (text) => {
      this.#text.value = text;
      this.#translate();
    };
    const chips = examplesOf(this.#app.info).map((example) => h("button", { type: "button", class: "chip", text: example.length > 28 ? `${example.slice(0, 28)}…` : example, on: { click: () => put(example) } }));
    this.#aligned = h("section", { class: "card", "aria-labelledby": "alignment-title" },
      h("h2", { id: "alignment-title", say: "translationAlignment" }), h("p", { class: "quiet", say: "translationWhy" }), this.#target, this.#source, this.#readout, this.#map);
    return h("div", { class: "view" },
      h("section", { class: "card pair" },
        h("div", { class: "writing" },
          h("label", { for: "text", class: "unseen", say: "textLabel" }), this.#text,
          h("div", { class: "chips" }, ...chips, h("button", { type: "button", class: "chip plain", say: "clear", on: { click: () => put("") } }),
            h("label", { class: "field" }, h("span", { say: "translationBeam" }), this.#beam))),
        h("div", { class: "answer" }, h("h2", { class: "small-title", say: "translationBest" }), this.#best, h("h3", { class: "small-title", say: "translationOthers" }), this.#others)),
      this.#aligned, this.#beside.node, h("p", { class: "notice", say: "translationWhole" }));
  }

  #settle = calm(() => this.#translate(), STILL_TYPING);

  async #translate() {
    const asked = (this.#asked += 1);
    const text = this.#text.value.trim();
    await this.#app.working(async () => {
      const beam = Math.min(Math.max(Math.round(Number(this.#beam.value)) || 1, 1), 16);
      const found = text ? await this.#app.wire.predict(this.#app.name, [text], { beam, n_best: Math.min(beam, 5), alignment: true }) : [];
      if (asked !== this.#asked) return;
      this.#found = found;
      this.#chosen = 0;
      this.#word = null;
      this.#draw();
      if (found.length) announce(found[0].prediction);
    });
    if (asked === this.#asked) await this.#beside.read(text || null);
  }

  #draw() {
    const found = this.#found[this.#chosen];
    this.#best.textContent = found ? found.prediction || words("translationEmpty") : "–";
    this.#others.replaceChildren(...this.#found.map(({ prediction, score }, n) => h("li", {},
      h("button", { type: "button", "aria-pressed": String(n === this.#chosen), on: { click: () => this.#choose(n) } },
        h("span", { text: prediction || words("translationEmpty") }), h("small", { class: "quiet", text: words("translationScore", { score: score.toFixed(3).replace("-", "−") }) })))));
    this.#others.previousSibling.hidden = this.#found.length < 2;
    this.#aligned.hidden = !found;
    if (!found) return;
    this.#drawWords();
    this.#drawMap();
  }

  #choose(n) {
    this.#chosen = n;
    this.#word = null;
    this.#draw();
    this.#others.querySelectorAll("button")[n].focus();
  }

  /** Both texts as tokens: those of the translation can be picked, those of the source show what it attended to. */
  #drawWords() {
    const { source, target } = this.#found[this.#chosen].alignment;
    this.#target.replaceChildren(...target.map((token, n) => h("button", { type: "button", class: "token", text: shown(token), "aria-pressed": "false",
      on: { click: () => this.#point(n), focus: () => this.#point(n), pointerenter: () => this.#point(n) } })));
    this.#source.replaceChildren(...source.map((token) => h("span", { text: shown(token) })));
    this.#point(this.#word ?? 0);
  }

  /** Mark what a token of the translation attended to. */
  #point(n) {
    const { source, target, weights } = this.#found[this.#chosen].alignment;
    this.#word = n;
    [...this.#target.children].forEach((button, place) => button.setAttribute("aria-pressed", String(place === n)));
    [...this.#source.children].forEach((span, place) => {
      const background = against(weights[n][place]);
      span.style.background = css(background);
      span.style.color = inkOn(background);
      span.title = percent(weights[n][place]);
      span.dataset.weight = weights[n][place];
    });
    const top = [...source.keys()].sort((a, b) => weights[n][b] - weights[n][a]).slice(0, 3).filter((place, rank) => !rank || weights[n][place] >= LEAST);
    const listed = top.map((place) => `“${shown(source[place])}” ${percent(weights[n][place])}`).join(words("translationComma"));
    this.#readout.textContent = words("translationWord", { word: shown(target[n]), listed });
    for (const row of this.#map.querySelectorAll("[data-row]")) row.classList.toggle("chosen", Number(row.dataset.row) === n);
  }

  /** The weights as a table of colours: a row for each token of the translation, a column for each of the source. */
  #drawMap() {
    const found = this.#found[this.#chosen];
    const width = this.#map.clientWidth;
    if (!found || !width) return; // drawn again once it has a width
    const { source, target, weights } = found.alignment;
    const left = Math.min(9 * Math.max(...target.map((token) => shown(token).length)) + 12, width / 3);
    const top = Math.min(9 * Math.max(2, ...source.map((token) => shown(token).length)) + 12, 110);
    const step = Math.max(NARROW, Math.min(WIDEST, (width - left) / source.length));
    const all = { width: left + step * source.length + 2, height: top + CELL * target.length + 2 };
    const picture = svg("svg", { viewBox: `0 0 ${all.width} ${all.height}`, ...all, role: "img", "aria-label": words("translationMap") });
    source.forEach((token, n) => {
      const x = left + (n + 0.5) * step + 4;
      picture.append(svg("text", { class: "tick", transform: `translate(${x} ${top - 6}) rotate(-90)`, text: cut(token, 11) }));
    });
    target.forEach((token, row) => {
      const line = svg("g", { "data-row": row, class: row === this.#word ? "chosen" : null });
      line.append(svg("text", { class: "tick", x: left - 6, y: top + (row + 0.5) * CELL + 4, "text-anchor": "end", text: cut(token, Math.floor(left / 9)) }));
      weights[row].forEach((weight, n) => {
        line.append(svg("rect", { x: left + n * step, y: top + row * CELL, width: step, height: CELL, fill: css(against(weight)) }, svg("title", { text: `${shown(token)} ← ${shown(source[n])}: ${percent(weight)}` })));
      });
      line.append(svg("rect", { class: "frame", x: left, y: top + row * CELL, width: step * source.length, height: CELL }));
      line.addEventListener("pointerenter", () => this.#point(row));
      picture.append(line);
    });
    this.#map.replaceChildren(picture);
  }
}

/** A token as it is shown; spaces are visible, and the end has a sign. */
const shown = (token) => (token === END ? "■" : token.replaceAll(" ", "␣").replaceAll("\n", "↵"));
const cut = (token, most) => (shown(token).length > most ? `${shown(token).slice(0, most - 1)}…` : shown(token));
