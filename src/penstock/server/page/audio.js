// A sound classifier: a recording, its prediction, and the score of each class while it is processed.

import { Answers, likeliest } from "./answers.js";
import { onScheme } from "./colours.js";
import { Compare } from "./compare.js";
import { announce, h, oncePerFrame } from "./elements.js";
import { Follower } from "./follower.js";
import { Look } from "./look.js";
import { Matter } from "./matter.js";
import { Microphone, numbersOf, samplesOf, sixteenBits, wavOf } from "./sound.js";
import { melBands, Spectrogram } from "./spectrogram.js";
import { percent, words } from "./words.js";

const BLOCK_SECONDS = 0.05; // length of a block; each block has its own prediction
const MOST_SECONDS = 60;

/** The view of a model; app: see main.js. */
export const view = (app) => new AudioView(app);

class AudioView {
  #app;
  #rate;
  #block;
  #labels;
  #follower;
  #samples = new Float32Array(0);
  #microphone = null;
  #final = null; // the prediction for the whole sound
  #at = null; // the selected block; null for the last one
  #sound = 0; // the number of the sound, so that a late response is not assigned to another sound
  #record = h("button", { type: "button", class: "main", say: "record", on: { click: () => (this.#microphone ? this.#stop() : this.#start()) } });
  #file = h("input", { type: "file", id: "file", class: "unseen", accept: "audio/*,.wav,.flac", on: { change: () => this.#take(this.#file.files[0]) } });
  #how = h("p", { class: "quiet small", role: "status" });
  #player = h("audio", { controls: true, hidden: true, sayLabel: "playerLabel" });
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
    this.#block = Math.round(BLOCK_SECONDS * this.#rate);
    this.#labels = app.info.label_texts;
    this.#answers = new Answers(this.#labels, { chartWords: "chartSound", onPick: (block) => this.#pick(block - 1), height: 200 });
    this.#follower = new Follower(() => app.wire.stream(app.name), { message: (block) => block, every: 100, onChange: () => this.#redraw() });
    this.#look = new Look(app, { traced: (block) => ({ push: numbersOf(block), trace: true }), nameOf: (block) => `${(block * BLOCK_SECONDS).toFixed(2)} s`, onPick: (block) => this.#pick(block) });
    this.#compare = new Compare(app, { chartWords: "chartSound", message: (block) => block });
    this.#matter = new Matter(app, { labels: this.#labels });
    this.#player.addEventListener("timeupdate", () => this.#pick(Math.floor(this.#player.currentTime / BLOCK_SECONDS)));
    this.#player.addEventListener("ended", () => this.#pick(null));
    onScheme(() => this.#draw());
    this.node = this.#layout();
    this.#draw();
  }

  resume() {
    return this.#app.working(() => this.#read());
  }

  refresh() {
    this.#record.dataset.say = this.#microphone ? "stopRecording" : "record";
    this.#record.textContent = words(this.#record.dataset.say);
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
    this.#microphone?.stop();
    this.#follower.close();
    this.#compare.close();
  }

  #layout() {
    const choose = h("label", { for: "file", class: "chip file", say: "chooseSound" });
    this.#shown.append(h("h3", { say: "features" }), this.#spectrogram.node, h("h3", { say: "overTime" }), this.#answers.lines);
    return h("div", { class: "view" },
      h("section", { class: "card pair" },
        h("div", { class: "writing" }, h("div", { class: "row" }, this.#record, this.#file, choose), this.#how, this.#player, h("p", { class: "quiet small", say: "soundPrivacy" })),
        h("div", { class: "answer" }, h("h2", { class: "small-title", say: "answerSoFar" }), this.#verdict, this.#when, this.#answers.bars)),
      h("section", { class: "card", "aria-labelledby": "sound-title" }, h("h2", { id: "sound-title", say: "soundTitle" }), this.#empty, this.#shown),
      this.#matter.node, this.#compare.node, this.#look.node);
  }

  #begin() {
    this.#sound += 1;
    this.#samples = new Float32Array(0);
    this.#final = this.#at = null;
    this.#blocks = [];
    this.#frames = [];
    this.#player.hidden = true;
    this.#matter.show(null);
    this.#how.textContent = "";
    this.#app.working(() => this.#read());
  }

  #blocks = [];

  /** Append samples; complete blocks are sent immediately. */
  #hear(samples) {
    const joined = new Float32Array(this.#samples.length + samples.length);
    joined.set(this.#samples);
    joined.set(samples, this.#samples.length);
    this.#samples = joined.subarray(0, MOST_SECONDS * this.#rate);
    const whole = Math.floor(this.#samples.length / this.#block);
    const blocks = [...this.#blocks];
    for (let n = blocks.length; n < whole; n += 1) blocks.push(sixteenBits(this.#samples.subarray(n * this.#block, (n + 1) * this.#block)));
    if (blocks.length > this.#blocks.length) this.#blocks = blocks;
    this.#app.working(() => this.#read());
    if (joined.length >= MOST_SECONDS * this.#rate && this.#microphone) this.#stop();
  }

  async #start() {
    this.#begin();
    if (!navigator.mediaDevices) {
      this.#how.textContent = words("microphoneInsecure");
      return;
    }
    try {
      this.#microphone = await Microphone.open(this.#rate, (samples) => this.#hear(samples));
    } catch (error) {
      this.#how.textContent = words("microphoneRefused", { message: error.message });
      return;
    }
    this.refresh();
  }

  #stop() {
    this.#microphone.stop();
    this.#microphone = null;
    this.refresh();
    this.#end();
  }

  async #take(file) {
    if (!file) return;
    if (this.#microphone) this.#stop();
    this.#begin();
    this.#file.value = "";
    try {
      const samples = await samplesOf(file, this.#rate);
      if (!samples.length) throw new Error("0 s");
      this.#hear(samples);
    } catch {
      this.#how.textContent = words("soundUnreadable", { file: file.name });
      this.#draw();
      return;
    }
    this.#end();
  }

  /** Send the last incomplete block and request the prediction for the whole sound. */
  async #end() {
    const sound = this.#sound;
    const rest = this.#samples.subarray(this.#blocks.length * this.#block);
    if (rest.length) this.#blocks = [...this.#blocks, sixteenBits(rest)];
    if (!this.#blocks.length) return;
    if (this.#player.src) URL.revokeObjectURL(this.#player.src);
    this.#player.src = URL.createObjectURL(wavOf(this.#samples, this.#rate));
    this.#player.hidden = false;
    this.#how.textContent = words("secondsHeard", { seconds: (this.#samples.length / this.#rate).toFixed(2) });
    await this.#app.working(async () => {
      await this.#read();
      const answer = await this.#follower.finish();
      if (sound === this.#sound) this.#final = answer.probabilities;
    });
    this.#draw();
    this.#showInside();
    this.#matter.show({ input: wavOf(this.#samples, this.#rate) });
    if (this.#final) announce(this.#verdict.textContent);
  }

  async #read() {
    this.#compare.follow(this.#blocks);
    await this.#follower.follow(this.#blocks);
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
    if (!this.#microphone && this.#player.paused) this.#look.show(this.#follower, Math.min(this.#at ?? last, last));
  }

  #draw() {
    const history = this.#follower.answers.map(({ answer }) => answer.probabilities);
    const at = Math.min(this.#at ?? history.length - 1, history.length - 1);
    const last = Math.max(this.#blocks.length, Math.round(1 / BLOCK_SECONDS));
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
    if (this.#samples.length > start) this.#frames.push(...melBands(this.#samples.subarray(start), this.#rate));
    this.#spectrogram.set(this.#frames, Math.round((last - 1) * BLOCK_SECONDS * 100));
  }
}
