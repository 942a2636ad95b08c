// A language model: the surprisal of each token of a text, what may come next, and how the model goes on.

import { barOf } from "./answers.js";
import { against, css, inkOn, onScheme } from "./colours.js";
import { announce, calm, h, oncePerFrame } from "./elements.js";
import { examplesOf } from "./examples.js";
import { Follower } from "./follower.js";
import { legend } from "./heatmap.js";
import { Inside, OF_TOKENS } from "./inside.js";
import { spansOf } from "./pieces.js";
import { count, percent, words } from "./words.js";

const MOST_PIECES = 2000;
const NEXT = 8; // likeliest tokens that are shown
const STILL_TYPING = 350; // milliseconds after the last key until an unfinished word counts as a word
const MOST_BITS = 12; // of surprisal, for the full colour

/** The view of a model; app: see main.js. */
export const view = (app) => (app.info.reads === "text" ? new LanguageView(app) : new Notes());

/** Models of music have no view of their own. */
class Notes {
  node = h("p", { class: "notice", say: "languageNotes" });
  input = [];
  resume() {}
  refresh() {}
  close() {}
}

class LanguageView {
  #app;
  #follower;
  #first = null; // what may come before the first token
  #pieces = [];
  #at = null; // the selected token; null for the last one
  #from = null; // the first character that the model has written
  #writing = null; // the stream that goes on with the text
  #halted = null; // settles when a request to stop is answered
  #tokens = []; // {token, bits, piece} of all tokens that were read
  #starts = []; // the first step of each piece
  #inside;
  #text = h("textarea", { id: "text", rows: 6, sayHint: "textHint", spellcheck: "false", autocomplete: "off" });
  #how = h("p", { class: "quiet small", id: "text-how" });
  #marked = h("p", { class: "coloured surprisal", role: "listbox", tabindex: 0, sayLabel: "languageSurprisal", dir: "auto" });
  #legend = h("div");
  #readout = h("p", { class: "readout", "aria-live": "polite" });
  #next = h("ul", { class: "bars" });
  #after = h("p", { class: "quiet small" });
  #go = h("button", { type: "button", class: "main", say: "languageGo", on: { click: () => this.#continue() } });
  #stop = h("button", { type: "button", say: "languageStop", disabled: true, on: { click: () => this.#halt() } });
  #most = number("tokens", 1, 1000, 1, 100);
  #temperature = number("temperature", 0, 3, 0.05, 0.8);
  #topK = number("top_k", 0, 1000, 1, 0);
  #topP = number("top_p", 0.05, 1, 0.05, 1);
  #seed = number("seed", 0, 999999, 1, 1);

  constructor(app) {
    this.#app = app;
    this.#inside = new Inside({ say: OF_TOKENS, onPick: (step) => this.#pickStep(step) });
    this.#follower = new Follower(() => app.wire.stream(app.name), { message: (piece) => ({ push: piece, trace: true, next: NEXT }), onChange: () => this.#redraw() });
    this.#text.setAttribute("aria-describedby", "text-how");
    this.#text.addEventListener("input", (event) => event.isComposing || this.#typed());
    this.#text.addEventListener("compositionend", () => this.#typed());
    this.#marked.addEventListener("keydown", (event) => this.#key(event));
    this.node = this.#layout();
    this.#inside.set([]);
    onScheme(() => this.#draw());
    this.#draw();
    this.resume();
  }

  /** Continue after the server was unavailable. */
  async resume() {
    await this.#app.working(async () => {
      this.#first ??= await this.#nothing();
      await this.#read();
    });
  }

  refresh() {
    this.#draw();
    this.#inside.refresh();
  }

  /** The text in the format of `predict`. */
  get input() {
    return this.#text.value;
  }

  close() {
    this.#follower.close();
    this.#writing?.close();
  }

  #layout() {
    const put = (text) => {
      this.#text.value = text;
      this.#from = null;
      this.#typed(true);
    };
    const chips = examplesOf(this.#app.info).map((example) => h("button", { type: "button", class: "chip", text: example.length > 28 ? `${example.slice(0, 28)}…` : example, on: { click: () => put(example) } }));
    const field = (say, input) => h("label", { class: "field" }, h("span", { say }), input);
    return h("div", { class: "view" },
      h("section", { class: "card" },
        h("div", { class: "writing" },
          h("label", { for: "text", class: "unseen", say: "textLabel" }), this.#text, this.#how,
          h("div", { class: "chips" }, ...chips, h("button", { type: "button", class: "chip plain", say: "clear", on: { click: () => put("") } }))),
        h("div", { class: "controls" }, field("languageTokens", this.#most), field("languageTemperature", this.#temperature), field("languageTopK", this.#topK), field("languageTopP", this.#topP), field("languageSeed", this.#seed),
          h("p", { class: "row" }, this.#go, this.#stop))),
      h("section", { class: "card pair" },
        h("div", {}, h("h2", { say: "languageSurprisal" }), h("p", { class: "quiet small", say: "languageWhy" }), this.#legend, this.#marked, this.#readout),
        h("div", {}, h("h2", { say: "languageNext" }), this.#after, this.#next)),
      this.#inside.node, h("p", { class: "quiet small", say: "languageMatter" }));
  }

  async #nothing() {
    const stream = await this.#app.wire.stream(this.#app.name);
    try {
      return (await stream.ask({ push: "", next: NEXT })).next;
    } finally {
      stream.close();
    }
  }

  #typed(finished = false) {
    const text = this.#text.value;
    if (this.#from !== null && text.length < this.#from) this.#from = null;
    this.#at = null;
    const all = this.#all();
    // The last word may be incomplete: it is read when the user pauses.
    const unfinished = !finished && !["char", "byte"].includes(this.#app.info.level) && /\S$/.test(text);
    this.#pieces = unfinished ? all.slice(0, -1) : all;
    this.#app.working(() => this.#read());
    this.#settle();
  }

  // The model may have gone on with the text since the last key.
  #settle = calm(() => {
    this.#pieces = this.#all();
    this.#app.working(() => this.#read()).then(() => announce(this.#how.textContent));
  }, STILL_TYPING);

  /** The pieces of the whole text. */
  #all() {
    return spansOf(this.#text.value, this.#app.info.level).slice(0, MOST_PIECES);
  }

  async #read() {
    await this.#follower.follow(this.#pieces);
    this.#redraw();
  }

  /** Let the model go on with the text, in a stream of its own that starts where the text ends. */
  async #continue() {
    if (this.#writing) return;
    this.#pieces = this.#all();
    this.#at = null;
    await this.#app.working(async () => {
      await this.#follower.follow(this.#pieces);
      const state = await this.#follower.state();
      this.#writing = await this.#app.wire.stream(this.#app.name);
      this.#busy(true);
      if (state !== null) await this.#writing.ask({ load: state });
      this.#from = this.#text.value.length;
      const options = Object.fromEntries([this.#most, this.#temperature, this.#topP, this.#seed].map(({ name, value }) => [name, Number(value)]));
      if (Number(this.#topK.value)) options.top_k = Number(this.#topK.value);
      await this.#writing.several({ generate: options }, ({ answer }) => this.#wrote(answer.drawn));
      await this.#halted;
    }).finally(() => {
      this.#writing?.close();
      this.#writing = this.#halted = null;
      this.#busy(false);
      announce(this.#text.value.slice(this.#from));
    });
  }

  /** Ask the model to stop; a lost connection is reported where it writes. */
  #halt() {
    this.#stop.disabled = true;
    this.#halted = this.#writing.ask({ stop: true }).catch(() => null);
  }

  #busy(writing) {
    this.#go.disabled = this.#text.readOnly = writing;
    this.#stop.disabled = !writing;
  }

  #wrote(drawn) {
    this.#text.value += drawn;
    this.#text.scrollTop = this.#text.scrollHeight;
    this.#follow();
  }

  #follow = oncePerFrame(() => {
    this.#pieces = this.#all();
    this.#app.working(() => this.#read());
  });

  #redraw = oncePerFrame(() => {
    this.#draw();
    const steps = [];
    this.#starts = [];
    for (const { answer, trace } of this.#follower.answers) {
      this.#starts.push(steps.length);
      trace.forEach((layers, n) => steps.push({ name: named(answer.tokens[n]), layers }));
    }
    this.#inside.set(steps);
    if (steps.length) this.#inside.point(Math.min(this.#at ?? steps.length - 1, steps.length - 1));
  });

  #draw() {
    this.#tokens = this.#follower.answers.flatMap(({ answer }, piece) => answer.tokens.map((token, n) => ({ token, bits: answer.surprisal[n] / Math.LN2, piece })));
    const last = this.#follower.answers.at(-1)?.answer;
    const cut = this.#pieces.length === MOST_PIECES ? `${words("languageCut")} ` : "";
    this.#how.textContent = cut + (last?.count ? words("languageRead", { count: count(last.count), perplexity: last.perplexity.toPrecision(3), bits: (last.nats / last.count / Math.LN2).toFixed(2) }) : words("languageNone"));
    this.#legend.replaceChildren(legend((value) => against(-(value + 1) / 2), words("languageExpected"), words("languageSurprising", { bits: MOST_BITS })));
    const at = this.#at ?? this.#tokens.length - 1;
    this.#marked.replaceChildren(...this.#tokens.flatMap((token, n) => [n && this.#app.info.level === "word" ? " " : "", this.#mark(token, n, at)]));
    this.#marked.setAttribute("aria-activedescendant", this.#tokens.length ? `token-${at}` : "");
    this.#drawToken(at);
  }

  #mark({ token, bits, piece }, n, at) {
    const background = against(-Math.min(bits / MOST_BITS, 1));
    const written = this.#from !== null && this.#follower.items.slice(0, piece).join("").length >= this.#from;
    const span = h("span", { id: `token-${n}`, role: "option", class: written ? "written" : null, "aria-selected": String(n === at), title: bitsOf(bits), "data-bits": bits, text: shown(token), on: { click: () => this.#pick(n) } });
    span.style.background = css(background);
    span.style.color = inkOn(background);
    return span;
  }

  /** The selected token, and what may come after it. */
  #drawToken(at) {
    const token = this.#tokens[at];
    this.#readout.textContent = token ? words("languageToken", { token: named(token.token), bits: bitsOf(token.bits), p: percent(2 ** -token.bits) }) : "";
    // What comes next is known after each piece; of a piece of several tokens, after the last one.
    const piece = token?.piece ?? -1;
    const next = piece < 0 ? this.#first : this.#follower.answers[piece]?.next;
    this.#after.textContent = token ? words("languageAfter", { text: this.#follower.items.slice(Math.max(0, piece - 5), piece + 1).join("").slice(-24) }) : words("languageAtFirst");
    this.#next.replaceChildren(...(next ?? []).map(({ token: each, probability }) => barOf(named(each), probability, "s0")));
  }

  #pick(n) {
    this.#at = n;
    this.#draw();
    this.#inside.point(n);
  }

  #pickStep(step) {
    this.#at = Math.min(step, this.#tokens.length - 1);
    this.#draw();
  }

  #key(event) {
    const last = this.#tokens.length - 1;
    const at = this.#at ?? last;
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, ArrowUp: at - 10, ArrowDown: at + 10, Home: 0, End: last }[event.key];
    if (to === undefined || last < 0) return;
    event.preventDefault();
    this.#pick(Math.min(Math.max(to, 0), last));
    this.#marked.querySelector("[aria-selected=true]").scrollIntoView({ block: "nearest" });
  }
}

const number = (name, min, max, step, value) => h("input", { type: "number", class: "number", name, min, max, step, value });
const bitsOf = (bits) => words("languageBits", { bits: bits.toFixed(2) });

/** A token as it is shown: line breaks and ends have a sign. */
const shown = (token) => token.replaceAll("\n", "↵\n").replace("</s>", "↵\n");

/** The same outside of a text, where spaces must be visible. */
const named = (token) => token.replaceAll("\n", "↵").replace("</s>", "↵").replaceAll(" ", "␣");
