// A sound classifier: a recording, its prediction, and the score of each class while it is processed.

import { Answers, likeliest } from "./answers.js";
import { onScheme } from "./colours.js";
import { Compare } from "./compare.js";
import { announce, h, oncePerFrame } from "./elements.js";
import { Follower } from "./follower.js";
import { Hearing } from "./hearing.js";
import { Look } from "./look.js";
import { Matter } from "./matter.js";
import { numbersOf } from "./sound.js";
import { melBands, Spectrogram } from "./spectrogram.js";
import { percent, words } from "./words.js";

const BLOCK_SECONDS = 0.05; // length of a block; each block has its own prediction
const MOST_SECONDS = 60;

/** The view of a model; app: see main.js. */
export const view = (app) => new AudioView(app);

class AudioView {
  #app;
  #rate;
  #hearing;
  #labels;
  #follower;
  #final = null; // the prediction for the whole sound
  #at = null; // the selected block; null for the last one
  #verdict = h("p", { class: "verdict" });
  #when = h("p", { class: "quiet small" });
  #empty = h("div", { class: "empty" }, h("p", { say: "emptyHeard" }), h("p", { class: "quiet", say: "emptySound" }));
  #shown = h("div", { class: "timeline", hidden: true });
  #spectrogram = new Spectrogram();
  #frames = [];
  #answers;
  #look;
  #compare;
  #matter;

  /** app: see main.js. */
  constructor(app) {
    this.#app = app;
    this.#rate = app.info.sample_rate;
    const on = { begin: () => this.#begin(), hear: () => this.#hear(), end: () => this.#end(), open: () => this.refresh(), fail: () => this.#draw() };
    this.#hearing = new Hearing(this.#rate, { blockSeconds: BLOCK_SECONDS, mostSeconds: MOST_SECONDS, on });
    this.#labels = app.info.label_texts;
    this.#answers = new Answers(this.#labels, { chartWords: "chartSound", onPick: (block) => this.#pick(block - 1), height: 200 });
    this.#follower = new Follower(() => app.wire.stream(app.name), { message: (block) => block, every: 100, onChange: () => this.#redraw() });
    this.#look = new Look(app, { traced: (block) => ({ push: numbersOf(block), trace: true }), nameOf: (block) => `${(block * BLOCK_SECONDS).toFixed(2)} s`, onPick: (block) => this.#pick(block) });
    this.#compare = new Compare(app, { chartWords: "chartSound", message: (block) => block });
    this.#matter = new Matter(app, { labels: this.#labels });
    const { player } = this.#hearing;
    player.addEventListener("timeupdate", () => this.#pick(Math.floor(player.currentTime / BLOCK_SECONDS)));
    player.addEventListener("ended", () => this.#pick(null));
    onScheme(() => this.#draw());
    this.node = this.#layout();
    this.#draw();
  }

  resume() {
    return this.#app.working(() => this.#read());
  }

  refresh() {
    this.#hearing.refresh();
    this.#draw();
    this.#look.refresh();
    this.#compare.refresh();
    this.#matter.refresh();
  }

  /** Null, because a sound is sent as a file. */
  get input() {
    return null;
  }

  close() {
    this.#hearing.close();
    this.#follower.close();
    this.#compare.close();
  }

  #layout() {
    this.#shown.append(h("h3", { say: "features" }), this.#spectrogram.node, h("h3", { say: "overTime" }), this.#answers.lines);
    return h("div", { class: "view" },
      h("section", { class: "card pair" },
        h("div", { class: "writing" }, ...this.#hearing.nodes),
        h("div", { class: "answer" }, h("h2", { class: "small-title", say: "answerSoFar" }), this.#verdict, this.#when, this.#answers.bars)),
      h("section", { class: "card", "aria-labelledby": "sound-title" }, h("h2", { id: "sound-title", say: "soundTitle" }), this.#empty, this.#shown),
      this.#matter.node, this.#compare.node, this.#look.node);
  }

  #begin() {
    this.#final = this.#at = null;
    this.#frames = [];
    this.#matter.show(null);
    this.#hear();
  }

  #hear() {
    this.#app.working(() => this.#read());
  }

  /** Request the prediction for the whole sound. */
  async #end() {
    const { sound } = this.#hearing;
    await this.#app.working(async () => {
      await this.#read();
      const answer = await this.#follower.finish();
      if (sound === this.#hearing.sound) this.#final = answer.probabilities;
    });
    this.#draw();
    this.#showInside();
    this.#matter.show({ input: this.#hearing.wav });
    if (this.#final) announce(this.#verdict.textContent);
  }

  async #read() {
    this.#compare.follow(this.#hearing.blocks);
    await this.#follower.follow(this.#hearing.blocks);
    this.#redraw();
  }

  #redraw = oncePerFrame(() => this.#draw());

  #pick(block) {
    this.#at = block;
    this.#draw();
    this.#showInside();
  }

  /** Not while the microphone is open, because the sound still grows. */
  #showInside() {
    const last = this.#follower.answers.length - 1;
    if (!this.#hearing.open && this.#hearing.player.paused) this.#look.show(this.#follower, Math.min(this.#at ?? last, last));
  }

  #draw() {
    const history = this.#follower.answers.map(({ answer }) => answer.probabilities);
    const at = Math.min(this.#at ?? history.length - 1, history.length - 1);
    const last = Math.max(this.#hearing.blocks.length, Math.round(1 / BLOCK_SECONDS));
    this.#empty.hidden = history.length > 0;
    this.#shown.hidden = !history.length;
    const whole = this.#at === null && this.#final;
    const now = whole || history[at];
    this.#answers.set(history, { at, now, from: 1, last, xName: (block) => `${Number((block * BLOCK_SECONDS).toFixed(2))} s` });
    const label = now ? likeliest(now, this.#labels) : null;
    this.#verdict.replaceChildren(...(label ? [h("strong", { text: label }), h("span", { text: percent(now[label]) })] : [h("strong", { class: "quiet", text: "–" })]));
    this.#when.textContent = whole ? words("wholeSound") : label ? words("afterSeconds", { seconds: ((at + 1) * BLOCK_SECONDS).toFixed(2) }) : "";
    this.#drawFeatures(last);
  }

  #drawFeatures(last) {
    // Computed frames (10 ms each) are kept.
    const done = Math.max(0, this.#frames.length);
    const start = done * Math.round(0.01 * this.#rate);
    const { samples } = this.#hearing;
    if (samples.length > start) this.#frames.push(...melBands(samples.subarray(start), this.#rate));
    this.#spectrogram.set(this.#frames, Math.round((last - 1) * BLOCK_SECONDS * 100));
  }
}
