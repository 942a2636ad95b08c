// The texts of the figures in the language that is chosen; the prose of both languages is in the page, and hidden by CSS.

const TABLE = JSON.parse(document.getElementById("words").textContent);
const listeners = [];

/** "en" or "zh". */
export const language = () => (document.documentElement.lang.startsWith("zh") ? "zh" : "en");

/** The text for a key, with {names} filled in. */
export function words(key, values = {}) {
  const text = TABLE[language()][key];
  if (text === undefined) throw new Error(`no text for ${key}`);
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/** Call `work` after each change of the language. */
export const onLanguage = (work) => listeners.push(work);

/** Set the text of every element below `root` with data-say, and the label of those with data-say-label. */
export function speak(root = document) {
  for (const node of root.querySelectorAll("[data-say]")) node.textContent = words(node.dataset.say);
  for (const node of root.querySelectorAll("[data-say-label]")) node.setAttribute("aria-label", words(node.dataset.sayLabel));
}

/** Change the language: "en" or "zh". */
export function setLanguage(chosen) {
  document.documentElement.lang = chosen === "zh" ? "zh-Hans" : "en";
  document.title = words("title");
  for (const button of document.querySelectorAll("[data-language]")) button.setAttribute("aria-pressed", String(button.dataset.language === chosen));
  speak();
  for (const work of listeners) work();
}
