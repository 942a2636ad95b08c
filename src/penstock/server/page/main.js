// The page: chooses the model and its view, and watches the connection to the server.

import { choose, h } from "./elements.js";
import { links } from "./links.js";
import { VIEWS } from "./views.js";
import { count, language, setLanguage, speak, words } from "./words.js";
import { Wire, WireError } from "./wire.js";

const KEPT = "penstock-token";
const LONGEST_WAIT = 8000; // the longest pause between attempts to reach the server, in milliseconds

const wire = new Wire();
const place = document.getElementById("view");
const picker = document.getElementById("models");
let models = [];
let view = null;
let facts = null;
let working = 0;
let state = "busy";
let trying = null;

function show(newState) {
  state = newState;
  const [status, text] = [document.getElementById("status"), document.getElementById("status-words")];
  status.dataset.state = state;
  text.textContent = words({ busy: "connecting", ready: "ready", lost: "lost", refused: "refused" }[state]);
}

/** Update all texts of the page to the current language. */
function speakAll() {
  document.documentElement.lang = language() === "zh" ? "zh-CN" : "en";
  for (const button of document.querySelectorAll("[data-language]")) button.setAttribute("aria-pressed", String(button.dataset.language === language()));
  speak();
  show(state);
  facts?.();
  view?.refresh();
}

/** The interface that a view gets: the model, and functions that run its work. */
function appFor(name, info) {
  return {
    wire, name, info, models,
    /** Run work of a view; if the server is unavailable, the view's `resume` is called when it is back. */
    async working(work) {
      working += 1;
      place.setAttribute("aria-busy", "true");
      try {
        await work();
        complain(null);
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
        if (error.status === 401) askForToken(true);
        else if (error.passing) comeBack();
        else complain(error);
      } finally {
        working -= 1;
        if (!working) place.removeAttribute("aria-busy");
      }
    },
  };
}

function complain(error) {
  place.querySelector(".notice.failed")?.remove();
  if (error) place.prepend(h("p", { class: "notice failed", role: "alert", text: words("failed", { message: error.message }) }));
}

/** Retry to reach the server with increasing pauses, then resume the view. */
function comeBack() {
  trying ??= (async () => {
    show("lost");
    for (let wait = 400; ; wait = Math.min(2 * wait, LONGEST_WAIT)) {
      await new Promise((resolve) => setTimeout(resolve, wait));
      try {
        await wire.models();
        break;
      } catch (error) {
        if (error.status === 401) return askForToken(true);
      }
    }
    show("ready");
  })().finally(() => {
    trying = null;
    if (state === "ready") view ? view.resume() : begin();
  });
}

/** A stream has ended: check whether the server is still available. */
wire.addEventListener("closed", () => {
  if (!trying) wire.models().catch((error) => (error.status === 401 ? askForToken(true) : comeBack()));
});

function note(...nodes) {
  place.replaceChildren(h("div", { class: "card empty" }, ...nodes));
  speak(place);
}

async function begin() {
  show("busy");
  note(h("p", { class: "quiet", say: "loading" }));
  try {
    models = await wire.models();
  } catch (error) {
    if (error.status === 401) return askForToken(wire.token !== null);
    note(h("p", { say: "unreachable" }));
    return comeBack();
  }
  show("ready");
  choose(picker, models.map(({ name }) => ({ value: name, text: name })));
  document.getElementById("picker").hidden = models.length < 2;
  if (!models.length) return note(h("p", { say: "noModels" }), h("p", { class: "quiet", say: "noModelsHow" }));
  const wanted = decodeURIComponent(location.hash.slice(1));
  await open(models.some(({ name }) => name === wanted) ? wanted : models[0].name);
}

async function open(name) {
  view?.close();
  view = facts = null;
  picker.value = name;
  document.title = `${name} · Penstock`;
  note(h("p", { class: "quiet", say: "loading" }));
  const app = appFor(name, null);
  await app.working(async () => {
    app.info = await wire.model(name);
    if (!Object.hasOwn(VIEWS, app.info.view)) {
      note(h("p", { text: words("unknownTask", { task: app.info.task }) }));
      return;
    }
    const module = await VIEWS[app.info.view].load();
    view = module.view(app);
    place.replaceChildren(heading(app), view.node, links(app, () => view.input));
    speakAll();
  });
}

function heading({ name, info }) {
  const { say } = VIEWS[info.view];
  const line = h("p", { class: "facts" });
  facts = () => {
    const encoder = info.network.encoder ?? {};
    const parts = [
      name,
      encoder.cell && words("factCell", { cell: encoder.cell.toUpperCase(), layers: encoder.num_layers ?? 1, units: encoder.hidden_size }),
      words("factParameters", { count: count(info.parameters) }),
      info.labels.length && words("factClasses", { count: info.labels.length }),
    ];
    line.textContent = parts.filter(Boolean).join(" · ");
  };
  return h("header", { class: "heading" }, h("h1", { say: `${say}Title` }), h("p", { class: "lead", say: `${say}Lead` }), line);
}

/** Ask for the token; `wrong` if one was tried. */
function askForToken(wrong) {
  show("refused");
  const dialog = document.getElementById("token-dialog");
  document.getElementById("token-wrong").textContent = wrong && wire.token !== null ? words("tokenWrong") : "";
  speak(dialog);
  if (!dialog.open) dialog.showModal();
}

document.getElementById("token-form").addEventListener("submit", () => {
  wire.token = document.getElementById("token").value.trim();
  try {
    sessionStorage.setItem(KEPT, wire.token);
  } catch {
    // Without storage the token is kept until the page is reloaded.
  }
  begin();
});
document.getElementById("token-dialog").addEventListener("cancel", (event) => event.preventDefault());
picker.addEventListener("change", () => {
  location.hash = encodeURIComponent(picker.value);
  open(picker.value);
});
for (const button of document.querySelectorAll("[data-language]")) {
  button.addEventListener("click", () => {
    setLanguage(button.dataset.language);
    speakAll();
  });
}
try {
  wire.token = sessionStorage.getItem(KEPT);
} catch {
  wire.token = null;
}
speakAll();
begin();
