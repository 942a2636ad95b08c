// What is heard: the microphone or a file, cut into blocks while it comes, and the player of it.

import { h } from "./elements.js";
import { Microphone, samplesOf, sixteenBits, wavOf } from "./sound.js";
import { words } from "./words.js";

export class Hearing {
  #rate;
  #size; // samples of a block
  #most; // samples that are kept
  #on;
  #parts = []; // the samples as they came
  #length = 0;
  #rest = new Float32Array(0); // samples that fill no block yet
  #microphone = null;
  #record = h("button", { type: "button", class: "main", say: "record", on: { click: () => (this.#microphone ? this.#stop() : this.#start()) } });
  #file = h("input", { type: "file", id: "file", class: "unseen", accept: "audio/*,.wav,.flac", on: { change: () => this.#take(this.#file.files[0]) } });
  #how = h("p", { class: "quiet small", role: "status" });

  /** The blocks so far, for a stream; the last one may be shorter once the sound has ended. */
  blocks = [];
  /** The number of the sound, so that a late answer is not shown for another one. */
  sound = 0;
  player = h("audio", { controls: true, hidden: true, sayLabel: "playerLabel" });

  /** on: begin() before a sound, hear() after new samples, end() once it has ended, open() where the microphone opens or
   * closes, fail() where a file can't be read. */
  constructor(rate, { blockSeconds, mostSeconds, on }) {
    this.#rate = rate;
    this.#size = Math.round(blockSeconds * rate);
    this.#most = mostSeconds * rate;
    this.#on = on;
    const choose = h("label", { for: "file", class: "chip file", say: "chooseSound" });
    this.nodes = [h("div", { class: "row" }, this.#record, this.#file, choose), this.#how, this.player, h("p", { class: "quiet small", say: "soundPrivacy" })];
  }

  /** Whether the microphone is open: the sound still grows. */
  get open() {
    return this.#microphone !== null;
  }

  /** All samples so far. */
  get samples() {
    if (this.#parts.length > 1) {
      const joined = new Float32Array(this.#length);
      let place = 0;
      for (const part of this.#parts) {
        joined.set(part, place);
        place += part.length;
      }
      this.#parts = [joined];
    }
    return this.#parts[0] ?? new Float32Array(0);
  }

  /** The sound as a WAV file. */
  get wav() {
    return wavOf(this.samples, this.#rate);
  }

  refresh() {
    this.#record.dataset.say = this.#microphone ? "stopRecording" : "record";
    this.#record.textContent = words(this.#record.dataset.say);
  }

  close() {
    this.#microphone?.stop();
  }

  #begin() {
    this.sound += 1;
    this.#parts = [];
    this.#length = 0;
    this.#rest = new Float32Array(0);
    this.blocks = [];
    this.player.hidden = true;
    this.#how.textContent = "";
    this.#on.begin();
  }

  /** Take samples; complete blocks are heard at once. */
  #hear(samples) {
    const taken = samples.subarray(0, this.#most - this.#length);
    this.#parts.push(taken);
    this.#length += taken.length;
    let joined = new Float32Array(this.#rest.length + taken.length);
    joined.set(this.#rest);
    joined.set(taken, this.#rest.length);
    const blocks = [...this.blocks];
    for (; joined.length >= this.#size; joined = joined.subarray(this.#size)) blocks.push(sixteenBits(joined.subarray(0, this.#size)));
    this.#rest = joined;
    if (blocks.length > this.blocks.length) this.blocks = blocks;
    this.#on.hear();
    if (this.#microphone && this.#length >= this.#most) this.#stop();
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
    this.#on.open();
  }

  #stop() {
    this.#microphone.stop();
    this.#microphone = null;
    this.#on.open();
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
      this.#on.fail();
      return;
    }
    this.#end();
  }

  /** Hear the last incomplete block, and let the sound be played. */
  #end() {
    if (this.#rest.length) this.blocks = [...this.blocks, sixteenBits(this.#rest)];
    if (!this.blocks.length) return;
    if (this.player.src) URL.revokeObjectURL(this.player.src);
    this.player.src = URL.createObjectURL(this.wav);
    this.player.hidden = false;
    this.#how.textContent = words("secondsHeard", { seconds: (this.#length / this.#rate).toFixed(2) });
    this.#on.end();
  }
}
