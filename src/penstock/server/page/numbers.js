// Parses numbers that users type, paste or save: one per line, one row, or a table of columns.

const MISSING = /^(|na|n\/a|nan|null|none|-)$/i;

/**
 * A table of a text: {columns: [{name, cells, values, numeric}], rows}. A single line of numbers is a column; the first
 * line is a header if it has no numbers. Missing values are null; lines that begin with # are ignored.
 */
export function parseTable(text) {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() && !line.startsWith("#"));
  if (!lines.length) return { columns: [], rows: 0 };
  const separator = ["\t", ";", ","].find((mark) => lines[0].includes(mark)) ?? /\s+/;
  let cells = lines.map((line) => line.trim().split(separator).map(bare));
  if (cells.length === 1 && cells[0].length > 1 && cells[0].every(isNumber)) cells = cells[0].map((cell) => [cell]);
  const named = cells.length > 1 && !cells[0].some(isNumber);
  const names = named ? cells.shift() : cells[0].map((_, n) => String(n + 1));
  return { columns: names.map((name, n) => column(name, cells.map((row) => row[n] ?? ""))), rows: cells.length };
}

function column(name, cells) {
  const values = cells.map((cell) => (isNumber(cell) ? Number(cell) : null));
  const numeric = cells.some(isNumber) && cells.every((cell) => isNumber(cell) || MISSING.test(cell));
  return { name, cells, values, numeric };
}

const bare = (cell) => cell.trim().replace(/^"(.*)"$/, "$1");
const isNumber = (cell) => cell !== "" && Number.isFinite(Number(cell));

/** A deterministic example series with a trend, a season and noise. */
export function madeUp(steps, season) {
  let seed = 7;
  const noise = () => {
    seed = (seed * 16807) % 2147483647;
    return seed / 2147483647 - 0.5;
  };
  return Array.from({ length: steps }, (_, n) => (50 + 0.05 * n + 20 * Math.sin((2 * Math.PI * n) / season) + 8 * noise()).toFixed(1));
}

/** The range of an axis with a margin around the values. */
export function spread(low, high) {
  const margin = 0.08 * (high - low || 1);
  return [low - margin, high + margin];
}
