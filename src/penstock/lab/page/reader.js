// The small networks that say whether a bracket is open, run on a text character by character.

import { affine, course, sigmoid } from "./cells.js";

const OPEN = "(（[［{｛【〔";
const CLOSE = ")）]］}｝】〕";

/** For each character, the steps of `course`, with `open`: the probability that a bracket is open after it. */
export function read(networks, cell, characters) {
  const { classes, [cell]: network } = networks;
  const inputs = characters.map((character) => classes.map((name) => Number(name === kind(character))));
  return course(cell, network.weights, inputs).map((step) => ({ ...step, open: sigmoid(affine(network.head_weight, step.h, network.head_bias)[0]) }));
}

/** What the networks see of a character. */
export function kind(character) {
  if (OPEN.includes(character)) return "open";
  if (CLOSE.includes(character)) return "close";
  if (/\p{L}/u.test(character)) return "letter";
  if (/\p{N}/u.test(character)) return "digit";
  return /\s/u.test(character) ? "space" : "mark";
}
