// The choice of the language, and the texts of the page in it. The texts lie beside each view, in a table of its own.

import audio from "./audio-words.js";
import detect from "./detect-words.js";
import forecast from "./forecast-words.js";
import inside from "./inside-words.js";
import languageModel from "./language-words.js";
import matter from "./matter-words.js";
import page from "./page-words.js";
import series from "./series-words.js";
import signal from "./signal-words.js";
import speech from "./speech-words.js";
import steps from "./steps-words.js";
import tags from "./tags-words.js";
import text from "./text-words.js";
import translation from "./translation-words.js";

/** {key: {language: text}} of all tables; no two have the same key. */
const WORDS = { ...page, ...text, ...series, ...forecast, ...detect, ...signal, ...speech, ...steps, ...tags, ...languageModel, ...translation, ...audio, ...inside, ...matter };
const LANGUAGES = ["en", "zh"];

const KEPT = "penstock-language";
let current = remembered() ?? (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en");

function remembered() {
  try {
    const kept = localStorage.getItem(KEPT);
    return LANGUAGES.includes(kept) ? kept : null;
  } catch {
    return null; // storage is blocked
  }
}

/** The current language: "en" or "zh". */
export const language = () => current;

/** The text for a key, with {names} filled in. */
export function words(key, values = {}) {
  const text = WORDS[key]?.[current] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/** Set the text of every element below `root` with data-say, data-say-label or data-say-hint. */
export function speak(root = document) {
  for (const node of root.querySelectorAll("[data-say]")) node.textContent = words(node.dataset.say);
  for (const node of root.querySelectorAll("[data-say-label]")) node.setAttribute("aria-label", words(node.dataset.sayLabel));
  for (const node of root.querySelectorAll("[data-say-hint]")) node.placeholder = words(node.dataset.sayHint);
}

/** Change the language and store the choice. */
export function setLanguage(language) {
  current = language;
  try {
    localStorage.setItem(KEPT, language);
  } catch {
    // Without storage the choice holds for this visit.
  }
}

/** Formats a count with separators. */
export const count = (n) => n.toLocaleString(current === "zh" ? "zh-CN" : "en-GB");

/** Formats a share as a percentage: 93.4 %. */
export const percent = (p) => `${(100 * p).toFixed(1)}${current === "zh" ? "" : " "}%`;

/** Formats a signed number: +0.82, −1.10. */
export const signed = (x, digits = 2) => (x < 0 ? "−" : "+") + Math.abs(x).toFixed(digits);
