// A recogniser of speech: the words of a recording or of the microphone, while they are spoken.

import { announce, h, oncePerFrame } from "./elements.js";
import { Follower } from "./follower.js";
import { Hearing } from "./hearing.js";
import { percent, words } from "./words.js";

const BLOCK_SECONDS = 0.1; // length of a block; what is heard so far is told after each
const MOST_SECONDS = 300;

/** The view of a model; app: see main.js. */
export const view = (app) => new SpeechView(app);

class SpeechView {
  #app;
  #hearing;
  #follower;
  #last = null; // what the end of the sound makes final
  #empty = h("p", { class: "quiet", say: "transcriptEmpty" });
  #text = h("p", { class: "transcript", dir: "auto" });

  constructor(app) {
    this.#app = app;
    const on = { begin: () => this.#begin(), hear: () => this.#hear(), end: () => this.#end(), open: () => this.refresh(), fail: () => this.#draw() };
    this.#hearing = new Hearing(app.info.sample_rate, { blockSeconds: BLOCK_SECONDS, mostSeconds: MOST_SECONDS, on });
    this.#follower = new Follower(() => app.wire.stream(app.name), { message: (block) => block, every: 100, onChange: () => this.#redraw() });
    this.node = this.#layout();
    this.#draw();
  }

  resume() {
    return this.#app.working(() => this.#read());
  }

  refresh() {
    this.#hearing.refresh();
    this.#draw();
  }

  /** Null, because a sound is sent as a file. */
  get input() {
    return null;
  }

  close() {
    this.#hearing.close();
    this.#follower.close();
  }

  #layout() {
    return h("div", { class: "view" },
      h("section", { class: "card" }, ...this.#hearing.nodes),
      h("section", { class: "card", "aria-labelledby": "transcript-title" }, h("h2", { id: "transcript-title", say: "transcript" }), this.#empty, this.#text));
  }

  #begin() {
    this.#last = null;
    this.#hear();
  }

  #hear() {
    this.#app.working(() => this.#read());
  }

  /** Ask for the words that the end makes final. */
  async #end() {
    const { sound } = this.#hearing;
    await this.#app.working(async () => {
      await this.#read();
      const answer = await this.#follower.finish();
      if (sound === this.#hearing.sound) this.#last = answer;
    });
    this.#draw();
    if (this.#last) announce(this.#text.textContent);
  }

  async #read() {
    await this.#follower.follow(this.#hearing.blocks);
    this.#redraw();
  }

  #redraw = oncePerFrame(() => this.#draw());

  #draw() {
    const answers = this.#follower.answers.map(({ answer }) => answer);
    const now = this.#last ?? answers.at(-1);
    const final = [...answers, ...(this.#last ? [this.#last] : [])].flatMap((answer) => answer.words);
    const going = this.#last ? [] : [h("span", { text: now?.stable ?? "" }), h("span", { class: "quiet", text: now?.tentative ?? "" })];
    const parts = [...final.map((word) => this.#wordOf(word)), ...going.filter((part) => part.textContent)];
    this.#text.replaceChildren(...parts.flatMap((part) => [part, " "]));
    this.#empty.hidden = parts.length > 0;
  }

  /** A final word; a click plays the recording from there. */
  #wordOf({ word, start, end, confidence }) {
    const title = words("spokenAt", { start: start.toFixed(2), end: end.toFixed(2), confidence: percent(confidence) });
    const play = () => {
      const { player } = this.#hearing;
      if (player.hidden) return;
      player.currentTime = start;
      player.play();
    };
    return h("span", { text: word, title, "data-start": start, on: { click: play } });
  }
}
