// Figure 1: a simple RNN over a sentence, a copy of the network for each step.

import { against, css, onScheme } from "./colours.js";
import { readout, Sentence, Slider } from "./controls.js";
import { h, segmented, svg } from "./elements.js";
import { words } from "./language.js";
import { read } from "./reader.js";

const WIDTH = 78; // of a step, in CSS pixels
const HEIGHT = 252;
const [BAR, BOX, LETTER] = [16, 92, 236]; // where answer, state and character lie
const PACE = 700; // milliseconds between steps

export class Unrolled {
  #networks;
  #sentence = new Sentence("sentenceFirst", () => this.refresh());
  #step = new Slider({ say: "step", min: 1, max: 1, value: 1, show: (step) => words("stepOf", { step, steps: this.#steps.length }), onInput: () => this.#draw() });
  #play = h("button", { type: "button", class: "main", on: { click: () => this.#toggle() } });
  #form = segmented("unroll-form", "form", [["unrolled", "unrolled"], ["folded", "folded"]], (form) => { this.#folded = form === "folded"; this.#draw(); });
  #folded = false;
  #picture = h("div", { class: "unrolled" });
  #readout = readout();
  #steps = [];
  #timer = 0;

  constructor(host, { brackets }) {
    this.#networks = brackets;
    host.append(this.#sentence.node, h("div", { class: "controls" }, this.#play, this.#step.node, this.#form), this.#picture, this.#readout);
    new ResizeObserver(() => this.#draw()).observe(this.#picture);
    onScheme(() => this.#draw());
    this.refresh();
  }

  refresh() {
    const isNew = this.#sentence.refresh();
    this.#steps = read(this.#networks, "rnn", this.#sentence.characters);
    this.#step.max = this.#steps.length;
    if (isNew) this.#step.value = this.#sentence.bracket;
    this.#step.refresh();
    this.#say();
    this.#draw();
  }

  #toggle() {
    if (this.#timer) this.#stop();
    else {
      if (this.#step.value >= this.#steps.length) this.#step.value = 0;
      this.#timer = setInterval(() => {
        if (this.#step.value >= this.#steps.length) this.#stop();
        else this.#step.value += 1;
        this.#draw();
      }, PACE);
    }
    this.#say();
  }

  #stop() {
    clearInterval(this.#timer);
    this.#timer = 0;
    this.#say();
  }

  #say() {
    this.#play.textContent = words(this.#timer ? "pause" : "play");
  }

  #draw() {
    const width = this.#picture.clientWidth;
    if (!width || !this.#steps.length) return;
    const now = this.#step.value - 1;
    const characters = this.#sentence.characters;
    const before = now ? this.#steps[now - 1] : null;
    const values = { step: now + 1, before: now, character: characters[now], open: percent(this.#steps[now].open) };
    const told = words(before ? "unrollTold" : "unrollFirst", values);
    if (!this.#timer) this.#readout.textContent = told;
    const picture = svg("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, height: HEIGHT, role: "img", "aria-label": told });
    if (this.#folded) this.#drawStep(picture, { x: width / 2, at: now, characters, loop: true });
    else {
      const room = Math.max(2, Math.floor((width - 8) / WIDTH));
      const first = Math.max(0, Math.min(now - room + 2, characters.length - room));
      const left = (width - Math.min(room, characters.length) * WIDTH) / 2 + WIDTH / 2;
      for (let at = first; at < Math.min(first + room, characters.length); at += 1) {
        this.#drawStep(picture, { x: left + (at - first) * WIDTH, at, characters, now, start: at === first });
      }
    }
    this.#picture.replaceChildren(picture);
  }

  #drawStep(picture, { x, at, characters, now = at, start = false, loop = false }) {
    const { open, h: state } = this.#steps[at];
    const read = at <= now;
    const step = svg("g", { class: read ? "step" : "step unread" });
    if (at === now && !loop) step.append(svg("rect", { class: "now", x: x - 27, y: 2, width: 54, height: HEIGHT - 4, rx: 8 }));
    step.append(svg("text", { class: "letter", x, y: LETTER, "text-anchor": "middle", text: characters[at] === " " ? "␣" : characters[at] }));
    step.append(arrow(x, LETTER - 20, x, BOX + 84), svg("rect", { class: "box", x: x - 23, y: BOX, width: 46, height: 80, rx: 6 }));
    if (read) {
      state.forEach((value, unit) => {
        step.append(svg("rect", { x: x - 18 + (unit % 2) * 19, y: BOX + 5 + Math.floor(unit / 2) * 18, width: 17, height: 16, rx: 2, fill: css(against(value)) }));
      });
      step.append(arrow(x, BOX, x, BAR + 52), svg("rect", { class: "answer", x: x - 13, y: BAR, width: 26, height: 30 }));
      step.append(svg("rect", { class: "answer full", x: x - 13, y: BAR + 30 * (1 - open), width: 26, height: 30 * open }));
      step.append(svg("text", { class: "tick", x, y: BAR + 45, "text-anchor": "middle", text: percent(open) }));
    }
    if (loop) step.append(svg("path", { class: "arrow", d: `M${x + 23} ${BOX + 28}c46 -52 46 76 4 26`, "marker-end": "url(#tip)" }));
    else if (!start) step.append(arrow(x - WIDTH + 23, BOX + 40, x - 23, BOX + 40));
    if (at === now) step.append(...weightNames(x, loop, start));
    picture.append(step);
  }
}

function weightNames(x, loop, start) {
  const name = (below, at, y, anchor) => svg("text", { class: "weight", x: at, y, "text-anchor": anchor }, "W", svg("tspan", { class: "below", dy: 3, text: below }));
  const names = [name("ih", x + 5, BOX + 106, "start")];
  if (loop) names.push(name("hh", x + 66, BOX + 46, "start"));
  else if (!start) names.push(name("hh", x - WIDTH / 2 - 1, BOX + 31, "middle"));
  return names;
}

const arrow = (x1, y1, x2, y2) => svg("line", { class: "arrow", x1, y1, x2, y2, "marker-end": "url(#tip)" });
const percent = (share) => `${Math.round(100 * share)}%`;
