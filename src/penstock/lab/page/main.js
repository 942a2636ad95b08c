// Fills the figures of the page.

import { unpackAll } from "./arrays.js";
import { Clipping } from "./clipping.js";
import { Forgetting } from "./forgetting.js";
import { Gates } from "./gates.js";
import { Gradients } from "./gradients.js";
import { language, onLanguage, setLanguage } from "./language.js";
import { Start } from "./start.js";
import { Timing } from "./timing.js";
import { Truncation } from "./truncation.js";
import { Unrolled } from "./unroll.js";

const FIGURES = { unroll: Unrolled, gates: Gates, gradients: Gradients, forgetting: Forgetting, start: Start, clipping: Clipping, timing: Timing, truncation: Truncation };

const arrays = unpackAll(JSON.parse(document.getElementById("arrays").textContent));
for (const [name, Figure] of Object.entries(FIGURES)) {
  const figure = new Figure(document.querySelector(`#${name} .live`), arrays);
  onLanguage(() => figure.refresh());
}
for (const button of document.querySelectorAll("[data-language]")) button.addEventListener("click", () => setLanguage(button.dataset.language));
setLanguage(language());
document.documentElement.dataset.ready = "";
