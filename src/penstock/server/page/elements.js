// Creates elements without markup in strings.

const SVG = "http://www.w3.org/2000/svg";

/**
 * Creates an element.
 * Properties: `say`, `sayLabel`, `sayHint` are text keys; `on` is {event: listener}; `text`; all others are attributes.
 */
export function h(tag, properties = {}, ...children) {
  return filled(document.createElement(tag), properties, children);
}

/** The same in SVG. */
export function svg(tag, properties = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), properties, children);
}

function filled(node, { say, sayLabel, sayHint, on = {}, text, ...attributes }, children) {
  if (say) node.dataset.say = say;
  if (sayLabel) node.dataset.sayLabel = sayLabel;
  if (sayHint) node.dataset.sayHint = sayHint;
  if (text !== undefined) node.textContent = text;
  for (const [event, listener] of Object.entries(on)) node.addEventListener(event, listener);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** A <select> that keeps its choice when its options change. */
export function choose(select, options) {
  const before = select.value;
  select.replaceChildren(...options.map(({ value, text }) => h("option", { value, text })));
  select.value = options.some(({ value }) => String(value) === before) ? before : String(options[0]?.value ?? "");
}

/** Radio buttons that look like one control; `ways` is [[value, key of the words], ...]. */
export function segmented(name, sayLabel, ways, onChange) {
  const inputs = ways.map(([value, say], place) => {
    const input = h("input", { type: "radio", name, value, checked: place === 0, on: { change: () => onChange(value) } });
    return h("label", {}, input, h("span", { say }));
  });
  return h("div", { class: "segmented", role: "radiogroup", sayLabel }, ...inputs);
}

/** Announce a text to screen readers. */
export function announce(text) {
  document.getElementById("announcer").textContent = text;
}

/** Debounce: `work` runs once, `milliseconds` after the last call of the returned function. */
export function calm(work, milliseconds) {
  let timer = 0;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...values), milliseconds);
  };
}

/** `work` runs at most once per frame, in the frame after the returned function was called. */
export function oncePerFrame(work) {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      work();
    });
  };
}
