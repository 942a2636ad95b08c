// A recogniser of speech: the words of a recording or of the microphone, while they are spoken.

import { announce, h, oncePerFrame } from "./elements.js";
import { Follower } from "./follower.js";
import { Microphone, samplesOf, sixteenBits, wavOf } from "./sound.js";
import { percent, words } from "./words.js";

const BLOCK_SECONDS = 0.1; // length of a block; what is heard so far is told after each
const MOST_SECONDS = 300;

/** The view of a model; app: see main.js. */
export const view = (app) => new SpeechView(app);

class SpeechView {
  #app;
  #rate;
  #size; // samples of a block
  #follower;
  #parts = []; // the samples as they came, for the player
  #rest = new Float32Array(0); // samples that fill no block yet
  #blocks = [];
  #microphone = null;
  #last = null; // what the end of the sound makes final
  #sound = 0; // the number of the sound, so that a late answer is not shown for another one
  #record = h("button", { type: "button", class: "main", say: "record", on: { click: () => (this.#microphone ? this.#stop() : this.#start()) } });
  #file = h("input", { type: "file", id: "file", class: "unseen", accept: "audio/*,.wav,.flac", on: { change: () => this.#take(this.#file.files[0]) } });
  #how = h("p", { class: "quiet small", role: "status" });
  #player = h("audio", { controls: true, hidden: true, sayLabel: "playerLabel" });
  #empty = h("p", { class: "quiet", say: "transcriptEmpty" });
  #text = h("p", { class: "transcript", dir: "auto" });

  constructor(app) {
    this.#app = app;
    this.#rate = app.info.sample_rate;
    this.#size = Math.round(BLOCK_SECONDS * this.#rate);
    this.#follower = new Follower(() => app.wire.stream(app.name), { message: (block) => block, every: 100, onChange: () => this.#redraw() });
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
  }

  /** Null, because a sound is sent as a file. */
  get input() {
    return null;
  }

  close() {
    this.#microphone?.stop();
    this.#follower.close();
  }

  #layout() {
    const choose = h("label", { for: "file", class: "chip file", say: "chooseSound" });
    const privacy = h("p", { class: "quiet small", say: "soundPrivacy" });
    return h("div", { class: "view" },
      h("section", { class: "card" }, h("div", { class: "row" }, this.#record, this.#file, choose), this.#how, this.#player, privacy),
      h("section", { class: "card", "aria-labelledby": "transcript-title" }, h("h2", { id: "transcript-title", say: "transcript" }), this.#empty, this.#text));
  }

  #begin() {
    this.#sound += 1;
    this.#parts = [];
    this.#rest = new Float32Array(0);
    this.#blocks = [];
    this.#last = null;
    this.#player.hidden = true;
    this.#how.textContent = "";
    this.#app.working(() => this.#read());
  }

  /** Take samples; complete blocks are sent at once. */
  #hear(samples) {
    this.#parts.push(samples);
    let joined = new Float32Array(this.#rest.length + samples.length);
    joined.set(this.#rest);
    joined.set(samples, this.#rest.length);
    const blocks = [...this.#blocks];
    for (; joined.length >= this.#size; joined = joined.subarray(this.#size)) blocks.push(sixteenBits(joined.subarray(0, this.#size)));
    this.#rest = joined;
    this.#blocks = blocks;
    this.#app.working(() => this.#read());
    if (this.#microphone && blocks.length * BLOCK_SECONDS >= MOST_SECONDS) this.#stop();
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
      const samples = (await samplesOf(file, this.#rate)).subarray(0, MOST_SECONDS * this.#rate);
      if (!samples.length) throw new Error("0 s");
      this.#hear(samples);
    } catch {
      this.#how.textContent = words("soundUnreadable", { file: file.name });
      this.#draw();
      return;
    }
    this.#end();
  }

  /** Send the last incomplete block, and ask for the words that the end makes final. */
  async #end() {
    const sound = this.#sound;
    if (this.#rest.length) this.#blocks = [...this.#blocks, sixteenBits(this.#rest)];
    if (!this.#blocks.length) return;
    const samples = new Float32Array(this.#parts.reduce((total, part) => total + part.length, 0));
    let place = 0;
    for (const part of this.#parts) {
      samples.set(part, place);
      place += part.length;
    }
    if (this.#player.src) URL.revokeObjectURL(this.#player.src);
    this.#player.src = URL.createObjectURL(wavOf(samples, this.#rate));
    this.#player.hidden = false;
    this.#how.textContent = words("secondsHeard", { seconds: (samples.length / this.#rate).toFixed(2) });
    await this.#app.working(async () => {
      await this.#read();
      const answer = await this.#follower.finish();
      if (sound === this.#sound) this.#last = answer;
    });
    this.#draw();
    if (this.#last) announce(this.#text.textContent);
  }

  async #read() {
    await this.#follower.follow(this.#blocks);
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
      if (this.#player.hidden) return;
      this.#player.currentTime = start;
      this.#player.play();
    };
    return h("span", { text: word, title, "data-start": start, on: { click: play } });
  }
}
