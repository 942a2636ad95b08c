// A tagger: the tokens of a text with their tags, chunks as coloured spans; as they are typed where the network streams.

import { barOf } from "./answers.js";
import { Beside } from "./beside.js";
import { series } from "./colours.js";
import { announce, calm, h, oncePerFrame } from "./elements.js";
import { examplesOf } from "./examples.js";
import { Follower } from "./follower.js";
import { Inside, OF_TOKENS } from "./inside.js";
import { Matter } from "./matter.js";
import { tokensOf } from "./pieces.js";
import { count, percent, words } from "./words.js";

const MOST_TOKENS = 500;
const STILL_TYPING = 350; // milliseconds after the last key until the whole text is tagged
const MOST_BARS = 6;
const OUTSIDE = "O";

/** The view of a model; app: see main.js. */
export const view = (app) => new TagsView(app);

class TagsView {
  #app;
  #follower = null;
  #tokens = [];
  #known = { tokens: [], row: null }; // what `predict` says of these tokens
  #at = null; // the selected token
  #inside = null;
  #matter;
  #beside;
  #types = []; // types of chunks, or tags, in the order of their colours
  #text = h("textarea", { id: "text", rows: 4, sayHint: "textHint", spellcheck: "false", autocomplete: "off" });
  #apart = h("input", { type: "checkbox", checked: true });
  #how = h("p", { class: "quiet small", id: "text-how" });
  #spans = h("ol", { class: "spans tags", dir: "auto" });
  #keys = h("ul", { class: "keys" });
  #empty = h("p", { class: "quiet", say: "tagsEmpty" });
  #readout = h("p", { class: "readout", "aria-live": "polite" });
  #bars = h("ul", { class: "bars" });

  constructor(app) {
    this.#app = app;
    const { info } = app;
    this.#types = [...new Set(info.labels.map((label) => this.#chunkOf(label).type))].filter((type) => type !== null);
    if (info.streams) {
      this.#follower = new Follower(() => app.wire.stream(app.name), { message: (token) => ({ push: [token], trace: true }), onChange: () => this.#redraw() });
      this.#inside = new Inside({ say: OF_TOKENS, onPick: (step) => this.#pick(step) });
    }
    this.#beside = new Beside(app, ([row]) => this.#others(row));
    this.#matter = new Matter(app, { labels: info.label_texts });
    this.#text.setAttribute("aria-describedby", "text-how");
    this.#text.addEventListener("input", (event) => event.isComposing || this.#typed());
    this.#text.addEventListener("compositionend", () => this.#typed());
    this.#apart.addEventListener("change", () => this.#typed());
    this.node = this.#layout();
    this.#inside?.set([]);
    this.#draw();
  }

  resume() {
    return this.#app.working(() => this.#read());
  }

  refresh() {
    this.#draw();
    this.#inside?.refresh();
    this.#matter.refresh();
    this.#beside.refresh();
  }

  /** The tokens in the format of `predict`. */
  get input() {
    return this.#tokens;
  }

  close() {
    this.#follower?.close();
  }

  #layout() {
    const put = (text) => {
      this.#text.value = text;
      this.#typed();
    };
    const textOf = (example) => (Array.isArray(example) ? example.join(this.#app.info.unit === "character" ? "" : " ") : example);
    const chips = examplesOf(this.#app.info).map(textOf).map((example) => h("button", { type: "button", class: "chip", text: example.length > 28 ? `${example.slice(0, 28)}…` : example, on: { click: () => put(example) } }));
    return h("div", { class: "view" },
      h("section", { class: "card" },
        h("div", { class: "writing" },
          h("label", { for: "text", class: "unseen", say: "textLabel" }), this.#text, this.#how,
          h("div", { class: "chips" }, ...chips, h("button", { type: "button", class: "chip plain", say: "clear", on: { click: () => put("") } }),
            h("label", { class: "check small", hidden: this.#app.info.unit === "character" }, this.#apart, h("span", { say: "tagsApart" }))))),
      h("section", { class: "card", "aria-labelledby": "tags-title" }, h("h2", { id: "tags-title", say: "tagsHeading" }), this.#empty, this.#keys, this.#spans, this.#readout, this.#bars),
      this.#matter.node, this.#beside.node, this.#inside ? this.#inside.node : h("p", { class: "notice", say: this.#app.info.network.encoder.bidirectional ? "whole" : "tagsWhole" }));
  }

  #typed() {
    const text = this.#text.value;
    const all = this.#app.info.unit === "character" ? [...text.replace(/\s/g, "")] : this.#apart.checked ? tokensOf(text) : text.split(/\s+/).filter(Boolean);
    this.#tokens = all.slice(0, MOST_TOKENS);
    this.#at = null;
    if (this.#follower) this.#app.working(() => this.#follower.follow(this.#tokens));
    this.#redraw();
    this.#settle();
  }

  #settle = calm(() => this.#app.working(() => this.#read()).then(() => announce(this.#how.textContent)), STILL_TYPING);

  /** The tags and probabilities of the text as it stands. */
  async #read() {
    const tokens = this.#tokens;
    await this.#follower?.follow(tokens);
    const [row] = tokens.length ? await this.#app.wire.predict(this.#app.name, [tokens], { probabilities: true }) : [null];
    if (tokens !== this.#tokens) return;
    this.#known = { tokens, row };
    this.#redraw();
    this.#explain();
    await this.#beside.read(tokens.length ? tokens : null);
  }

  /** The tokens with the tags of a second model; those that this model tags otherwise are marked. */
  #others({ tokens, tags }) {
    const own = this.#row?.tags ?? tags;
    const other = tags.map((tag, n) => tag !== own[n]);
    return [
      h("p", { class: "verdict", text: words("tagsOther", { count: count(other.filter(Boolean).length), total: count(tags.length) }) }),
      h("p", { class: "others-tags", dir: "auto" }, ...tokens.flatMap((token, n) => [h("span", { class: other[n] ? "other" : "same", "data-tag": tags[n] }, h("span", { text: token }), h("small", { text: tags[n] })), " "])),
    ];
  }

  /** What mattered for the tag of the selected token. */
  #explain() {
    this.#matter.show(this.#tokens.length ? { input: { inputs: [this.#tokens] }, at: this.#at === null ? null : this.#at + 1 } : null);
  }

  /** What `predict` says of the tokens as they stand; null if that is not known yet. */
  get #row() {
    return this.#known.tokens === this.#tokens ? this.#known.row : null;
  }

  #pick(token) {
    this.#at = token;
    this.#draw();
    this.#inside?.point(token);
    this.#explain();
  }

  /** The tag of each token: of the whole text if it is known, else as far as the stream has told. */
  #tags() {
    if (this.#row) return this.#row.tags;
    return this.#follower ? this.#follower.answers.flatMap(({ answer }) => answer.steps.map(({ prediction }) => prediction)) : [];
  }

  #redraw = oncePerFrame(() => {
    this.#draw();
    if (!this.#inside) return;
    const steps = this.#follower.answers.map(({ trace }, n) => ({ name: this.#follower.items[n], layers: trace[0] }));
    this.#inside.set(steps);
    this.#inside.point(Math.min(this.#at ?? steps.length - 1, steps.length - 1));
  });

  #draw() {
    const { lookahead, streams } = this.#app.info;
    const tags = this.#tags().slice(0, this.#tokens.length);
    this.#empty.hidden = this.#tokens.length > 0;
    const read = words(this.#tokens.length === MOST_TOKENS ? "tagsCut" : "tagsRead", { count: count(this.#tokens.length) });
    this.#how.textContent = [read, streams && lookahead && words(lookahead === 1 ? "tagsNext" : "tagsLookahead", { count: lookahead })].filter(Boolean).join(" ");
    const chunks = this.#chunks(tags);
    this.#spans.replaceChildren(...chunks.map((chunk) => this.#span(chunk)));
    const shown = this.#types.filter((type) => chunks.some((chunk) => chunk.type === type));
    this.#keys.replaceChildren(...shown.map((type) => h("li", {}, h("span", { class: `key ${series(this.#types.indexOf(type))}`, "aria-hidden": "true" }),
      h("span", { text: `${type || words("tagsWord")} ${count(chunks.filter((chunk) => chunk.type === type).length)}` }))));
    this.#drawToken();
  }

  /** The probabilities of the selected token's tags. */
  #drawToken() {
    const [row, at] = [this.#row, this.#at];
    this.#readout.hidden = this.#bars.hidden = !row || at === null;
    if (this.#bars.hidden) return;
    const shares = row.probabilities[at];
    this.#readout.textContent = words("tagsToken", { token: row.tokens[at], tag: row.tags[at], p: percent(row.probability[at]) });
    const labels = [...this.#app.info.label_texts].sort((a, b) => shares[b] - shares[a]).slice(0, MOST_BARS);
    this.#bars.replaceChildren(...labels.map((label) => {
      const { type } = this.#chunkOf(label);
      return barOf(label, shares[label], type === null ? "s-other" : series(this.#types.indexOf(type)));
    }));
  }

  /** [{tokens: [{token, tag, n}], type}]: neighbours of one chunk; type is null outside of chunks, and while a tag is pending. */
  #chunks(tags) {
    const chunks = [];
    let open = false;
    this.#tokens.forEach((token, n) => {
      const { type, first, last } = n < tags.length ? this.#chunkOf(tags[n]) : { type: null, first: true, last: true };
      const each = { token, n, tag: tags[n] ?? null };
      if (open && type !== null && !first && chunks.at(-1).type === type) chunks.at(-1).tokens.push(each);
      else chunks.push({ type, tokens: [each] });
      open = type !== null && !last;
    });
    return chunks;
  }

  /** {type, first, last} of a tag: the type of its chunk, and whether it begins or ends one; of other tags themselves. */
  #chunkOf(tag) {
    if (this.#app.info.scheme === null) return { type: String(tag), first: true, last: true };
    if (tag === OUTSIDE) return { type: null, first: true, last: true };
    const [letter, rest] = [String(tag)[0], String(tag).slice(1)];
    return { type: rest.replace(/^[-_/]/, ""), first: "BSU".includes(letter), last: "ESLU".includes(letter) };
  }

  #span({ type, tokens }) {
    const colour = type === null ? "outside" : `chunk ${series(this.#types.indexOf(type))}`;
    const buttons = tokens.map(({ token, n, tag }) => {
      const title = tag === null ? words("tagsPending") : this.#row ? `${tag} ${percent(this.#row.probability[n])}` : tag;
      return h("button", { type: "button", class: tag === null ? "word pending" : "word", "aria-pressed": String(n === this.#at), title, "data-tag": tag ?? "", text: token, on: { click: () => this.#pick(n) } });
    });
    return h("li", { class: colour }, h("span", {}, ...buttons), h("small", { text: type ?? (tokens[0].tag === null ? "…" : "") }));
  }
}
