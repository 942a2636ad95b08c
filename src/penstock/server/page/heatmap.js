// A heat map on a canvas (columns: time, rows: units) with keyboard navigation and zoom.

import { css, inkOn } from "./colours.js";
import { h } from "./elements.js";

const LEFT = 40;
const BOTTOM = 62;
const TOP = 6;
const WIDEST = 46; // largest width of a column in CSS pixels: a short text does not fill the canvas
const FEWEST = 4; // rows at the highest zoom

export class HeatMap {
  #canvas;
  #picture = document.createElement("canvas");
  #shown = { columns: [], order: [], value: () => 0, colour: () => [0, 0, 0] };
  #view = { x: 0, y: 0, w: 1, h: 1 };
  #whole = true;
  #cell = { column: 0, row: 0 };
  #onPick;
  #dragged = null;
  #pointers = new Map();
  #height;

  /** onPick(column, unit): the selected cell has changed. The height is in CSS pixels. */
  constructor(host, { onPick, height = 380 }) {
    this.#onPick = onPick;
    this.#height = height;
    this.#canvas = h("canvas", { class: "heat", tabindex: 0, role: "application" });
    host.append(this.#canvas);
    new ResizeObserver(() => this.draw()).observe(host);
    this.#listen();
  }

  get node() {
    return this.#canvas;
  }

  /** The selected cell: {column, unit}. */
  get cell() {
    return { column: this.#cell.column, unit: this.#shown.order[this.#cell.row] ?? 0 };
  }

  /**
   * columns: their names. order: the unit in each row. value(column, unit). colour(value) -> [r, g, b]. New
   * columns scroll into view unless the user has moved the view away from the end.
   */
  set(shown) {
    const atEnd = this.#view.x + this.#view.w >= this.#shown.columns.length - 0.5;
    this.#shown = shown;
    const { columns, order } = shown;
    if (this.#whole) this.#view = { x: 0, y: 0, w: columns.length, h: order.length };
    else if (atEnd) this.#view.x = columns.length - this.#view.w;
    this.#bound();
    this.#cell.column = Math.min(this.#cell.column, Math.max(columns.length - 1, 0));
    this.#cell.row = Math.min(this.#cell.row, Math.max(order.length - 1, 0));
    this.#paint();
    this.draw();
  }

  /** Select the cell in a column, and in the row of a unit if one is given, without calling onPick. */
  point(column, unit = this.cell.unit) {
    this.#cell.column = Math.min(Math.max(column, 0), Math.max(this.#shown.columns.length - 1, 0));
    this.#cell.row = Math.max(this.#shown.order.indexOf(unit), 0);
    this.#reveal();
    this.draw();
  }

  /** Zoom by a factor around a position in columns and rows, by default the selected cell. */
  zoom(factor, x = this.#cell.column + 0.5, y = this.#cell.row + 0.5) {
    const view = this.#view;
    const w = Math.min(Math.max(view.w / factor, this.#room() / WIDEST), this.#shown.columns.length);
    const height = Math.min(Math.max(view.h / factor, FEWEST), this.#shown.order.length);
    view.x = x - ((x - view.x) / view.w) * w;
    view.y = y - ((y - view.y) / view.h) * height;
    Object.assign(view, { w, h: height });
    this.#whole = w === this.#shown.columns.length && height === this.#shown.order.length;
    this.#bound();
    this.draw();
  }

  showAll() {
    this.#whole = true;
    this.#view = { x: 0, y: 0, w: this.#shown.columns.length, h: this.#shown.order.length };
    this.draw();
  }

  /** The visible range: {x, y, w, h} in columns and rows. */
  get view() {
    return { ...this.#view };
  }

  draw() {
    const width = this.#canvas.parentElement.clientWidth;
    if (!width) return;
    const ratio = devicePixelRatio || 1;
    this.#canvas.width = Math.round(width * ratio);
    this.#canvas.height = Math.round(this.#height * ratio);
    this.#canvas.style.height = `${this.#height}px`;
    // Touch scrolls the page as long as the whole map is visible.
    this.#canvas.style.touchAction = this.#whole ? "pan-y" : "none";
    if (!this.#shown.columns.length) return;
    const pen = this.#canvas.getContext("2d");
    pen.scale(ratio, ratio);
    pen.font = getComputedStyle(this.#canvas).font;
    const { w, hh } = this.#cellSize();
    const view = this.#view;
    pen.imageSmoothingEnabled = false;
    pen.drawImage(this.#picture, view.x, view.y, view.w, view.h, LEFT, TOP, view.w * w, view.h * hh);
    this.#writeNumbers(pen, w, hh);
    this.#writeRows(pen, hh);
    this.#writeColumns(pen, w);
    this.#outline(pen, w, hh);
  }

  /** One pixel for each cell; scaled up afterwards. */
  #paint() {
    const { columns, order, value, colour } = this.#shown;
    if (!columns.length) return;
    Object.assign(this.#picture, { width: columns.length, height: order.length });
    const pen = this.#picture.getContext("2d");
    const image = pen.createImageData(columns.length, order.length);
    for (let row = 0, at = 0; row < order.length; row += 1) {
      for (let column = 0; column < columns.length; column += 1, at += 4) {
        const [r, g, b] = colour(value(column, order[row]));
        image.data[at] = r;
        image.data[at + 1] = g;
        image.data[at + 2] = b;
        image.data[at + 3] = 255;
      }
    }
    pen.putImageData(image, 0, 0);
  }

  /** The width of all columns in CSS pixels. */
  #room() {
    return this.#canvas.parentElement.clientWidth - LEFT - 8;
  }

  #cellSize() {
    return { w: Math.min(this.#room() / this.#view.w, WIDEST), hh: (this.#height - TOP - BOTTOM) / this.#view.h };
  }

  /** Draw the values as text if the cells are large enough. */
  #writeNumbers(pen, w, hh) {
    if (w < 36 || hh < 15) return;
    const { columns, order, value, colour } = this.#shown;
    const { x, y, w: across, h: down } = this.#view;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    for (let row = Math.floor(y); row < Math.min(Math.ceil(y + down), order.length); row += 1) {
      for (let column = Math.floor(x); column < Math.min(Math.ceil(x + across), columns.length); column += 1) {
        const cell = value(column, order[row]);
        const [px, py] = [LEFT + (column + 0.5 - x) * w, TOP + (row + 0.5 - y) * hh];
        if (px < LEFT + w / 2 - 1 || py < TOP + 7 || py > this.#height - BOTTOM - 7) continue;
        pen.fillStyle = inkOn(colour(cell));
        pen.fillText(cell.toFixed(2), px, py);
      }
    }
  }

  #writeRows(pen, hh) {
    const { order } = this.#shown;
    const every = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512].find((step) => step * hh >= 15) ?? 1024;
    pen.fillStyle = getComputedStyle(this.#canvas).color;
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    for (let row = Math.ceil(this.#view.y / every) * every; row < Math.min(this.#view.y + this.#view.h, order.length); row += every) {
      const y = TOP + (row + 0.5 - this.#view.y) * hh;
      if (y >= TOP && y <= this.#height - BOTTOM) pen.fillText(order[row], LEFT - 6, Math.max(y, TOP + 6));
    }
  }

  #writeColumns(pen, w) {
    const { columns } = this.#shown;
    const every = Math.ceil(15 / w);
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    for (let column = Math.ceil(this.#view.x / every) * every; column < Math.min(this.#view.x + this.#view.w, columns.length); column += every) {
      pen.save();
      pen.translate(LEFT + (column + 0.5 - this.#view.x) * w, this.#height - BOTTOM + 8);
      pen.rotate(-Math.PI / 4);
      const name = columns[column];
      pen.fillText(name.length > 11 ? `${name.slice(0, 10)}…` : name, 0, 2);
      pen.restore();
    }
  }

  #outline(pen, w, hh) {
    const x = LEFT + (this.#cell.column - this.#view.x) * w;
    const y = TOP + (this.#cell.row - this.#view.y) * hh;
    const [right, floor] = [LEFT + this.#view.w * w, this.#height - BOTTOM];
    if (x < LEFT - 1 || x > right - 1) return;
    // A light line inside a dark one is visible on every colour.
    for (const [colour, wide] of [["#000000", 3], ["#ffffff", 1.25]]) {
      pen.strokeStyle = colour;
      pen.lineWidth = wide;
      pen.globalAlpha = 0.55;
      pen.strokeRect(x, TOP, w, floor - TOP);
      pen.globalAlpha = 1;
      if (y >= TOP - 1 && y < floor - 1) pen.strokeRect(x, y, w, hh);
    }
  }

  #bound() {
    const { columns, order } = this.#shown;
    const view = this.#view;
    view.w = Math.min(view.w, columns.length);
    view.h = Math.min(view.h, order.length);
    view.x = Math.min(Math.max(view.x, 0), columns.length - view.w);
    view.y = Math.min(Math.max(view.y, 0), order.length - view.h);
  }

  /** Move the view so that the selected cell is visible. */
  #reveal() {
    const { column, row } = this.#cell;
    const view = this.#view;
    view.x = Math.min(Math.max(view.x, column + 1 - view.w), column);
    view.y = Math.min(Math.max(view.y, row + 1 - view.h), row);
    this.#bound();
  }

  #at(event) {
    const box = this.#canvas.getBoundingClientRect();
    const { w, hh } = this.#cellSize();
    return { x: this.#view.x + (event.clientX - box.left - LEFT) / w, y: this.#view.y + (event.clientY - box.top - TOP) / hh };
  }

  #pick(column, row) {
    const { columns, order } = this.#shown;
    if (!columns.length) return;
    this.#cell = { column: Math.min(Math.max(column, 0), columns.length - 1), row: Math.min(Math.max(row, 0), order.length - 1) };
    this.#reveal();
    this.draw();
    this.#onPick(this.#cell.column, order[this.#cell.row]);
  }

  #listen() {
    const canvas = this.#canvas;
    canvas.addEventListener("keydown", (event) => this.#key(event));
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, (event) => this.#up(event));
    canvas.addEventListener("dblclick", (event) => this.zoom(2, this.#at(event).x, this.#at(event).y));
    // The wheel scrolls the page; with Ctrl it zooms, and so does a pinch gesture on a touch pad.
    canvas.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      this.zoom(Math.exp(-event.deltaY / 200), this.#at(event).x, this.#at(event).y);
    }, { passive: false });
  }

  #key(event) {
    const { column, row } = this.#cell;
    const page = Math.max(1, Math.floor(this.#view.h / 4));
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1], PageUp: [0, -page], PageDown: [0, page], Home: [-column, 0], End: [this.#shown.columns.length, 0] };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in moves) this.#pick(column + moves[event.key][0], row + moves[event.key][1]);
    else if (event.key === "+" || event.key === "=") this.zoom(1.6);
    else if (event.key === "-") this.zoom(1 / 1.6);
    else if (event.key === "0") this.showAll();
    else return;
    event.preventDefault();
  }

  #down(event) {
    this.#canvas.setPointerCapture(event.pointerId);
    this.#pointers.set(event.pointerId, event);
    this.#dragged = { from: event, view: this.view, moved: false };
  }

  #move(event) {
    if (!this.#pointers.has(event.pointerId)) return;
    const before = [...this.#pointers.values()];
    this.#pointers.set(event.pointerId, event);
    const now = [...this.#pointers.values()];
    if (now.length === 2) {
      const middle = this.#at({ clientX: (now[0].clientX + now[1].clientX) / 2, clientY: (now[0].clientY + now[1].clientY) / 2 });
      this.zoom(apart(now) / Math.max(apart(before), 1), middle.x, middle.y);
      this.#dragged = null;
    } else if (this.#dragged) {
      const { from, view } = this.#dragged;
      const [dx, dy] = [event.clientX - from.clientX, event.clientY - from.clientY];
      if (Math.hypot(dx, dy) < 5 && !this.#dragged.moved) return;
      this.#dragged.moved = true;
      const { w, hh } = this.#cellSize();
      this.#view.x = view.x - dx / w;
      this.#view.y = view.y - dy / hh;
      this.#bound();
      this.draw();
    }
  }

  #up(event) {
    this.#pointers.delete(event.pointerId);
    if (this.#dragged && !this.#dragged.moved && event.type === "pointerup") {
      const { x, y } = this.#at(event);
      this.#pick(Math.floor(x), Math.floor(y));
    }
    this.#dragged = null;
  }
}

const apart = ([a, b]) => Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);

/** A colour scale from -1 to 1 with labels at its ends. */
export function legend(colour, low, high) {
  const strip = h("canvas", { width: 96, height: 1, "aria-hidden": "true" });
  const pen = strip.getContext("2d");
  for (let x = 0; x < 96; x += 1) {
    pen.fillStyle = css(colour((2 * x) / 95 - 1));
    pen.fillRect(x, 0, 1, 1);
  }
  return h("p", { class: "legend" }, h("span", { text: low }), strip, h("span", { text: high }));
}
