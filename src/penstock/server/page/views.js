// The views of the page.

/**
 * For each `info.view` of a model: the module whose `view(app)` makes the view, and the prefix of the keys of its title
 * and lead. app: see main.js. A view has `node`, `input`, `refresh()`, `resume()` and `close()`.
 */
export const VIEWS = {
  text: { say: "text", load: () => import("./text.js") },
  forecast: { say: "forecast", load: () => import("./forecast.js") },
  detect: { say: "detect", load: () => import("./detect.js") },
  signal: { say: "signals", load: () => import("./signal.js") },
  sound: { say: "audio", load: () => import("./audio.js") },
  speech: { say: "speech", load: () => import("./speech.js") },
  steps: { say: "steps", load: () => import("./steps.js") },
  tags: { say: "tags", load: () => import("./tags.js") },
  language: { say: "language", load: () => import("./language.js") },
  translation: { say: "translation", load: () => import("./translation.js") },
};
