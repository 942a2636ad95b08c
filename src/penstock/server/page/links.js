// Links to further information, and the request of the page as code.

import { announce, h } from "./elements.js";
import { words } from "./words.js";

const MOST = 400; // the most characters of an input in a command

/**
 * Links to the report, metrics and the OpenAPI document, and buttons that copy a request as curl or Python.
 * app: see main.js. input(): the input of the view in the format of `predict`; null if it is a file.
 */
export function links(app, input) {
  const server = location.origin;
  const copy = (say, text) => h("button", { type: "button", class: "chip", say, on: { click: () => put(text()) } });
  const open = (say, href) => h("a", { class: "chip", say, href, target: "_blank", rel: "noopener" });
  // A browser does not send the token when it follows a link.
  const opened = app.wire.token === null ? [app.info.report && open("openReport", `/v1/models/${encodeURIComponent(app.name)}/report`), open("openMetrics", "/metrics"), open("openApi", "/openapi.json")] : [];
  return h("nav", { class: "chips links", sayLabel: "links" }, ...opened.filter(Boolean),
    copy("copyCurl", () => curl(server, app, input())), copy("copyPython", () => python(server, app, input())));
}

function curl(server, { name, wire }, input) {
  const token = wire.token === null ? "" : ` -H "Authorization: Bearer $PENSTOCK_TOKEN"`;
  const address = `${quoted(`${server}/v1/models/${encodeURIComponent(name)}/predict`)}${token}`;
  if (input === null) return `curl ${address} -F file=@sound.wav`;
  return `curl ${address} -H 'Content-Type: application/json' -d ${quoted(JSON.stringify({ inputs: [short(input)] }))}`;
}

function python(server, { name, wire }, input) {
  const token = wire.token === null ? "" : `, token=os.environ["PENSTOCK_TOKEN"]`;
  const asked = input === null ? `predict_file(${JSON.stringify(name)}, "sound.wav")` : `predict(${JSON.stringify(name)}, [${JSON.stringify(short(input)).replaceAll("null", "None")}])`;
  return `${token ? "import os\n" : ""}import penstock\n\nwith penstock.Client(${JSON.stringify(server)}${token}) as client:\n    print(client.${asked})\n`;
}

/** The input, or its first steps if it is long. */
const short = (input) => (Array.isArray(input) && JSON.stringify(input).length > MOST ? input.slice(0, 20) : input);
const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

async function put(text) {
  try {
    await navigator.clipboard.writeText(text);
    announce(words("copied"));
  } catch {
    announce(words("copyFailed", { text }));
    window.prompt(words("copyFailed", { text: "" }), text);
  }
}
