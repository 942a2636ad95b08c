// Names of steps from their times: shortened if all are at midnight, and extended beyond the last step.

const MIDNIGHT = /[ T]00:00(:00(\.0+)?)?(Z|[+-]\d\d:?\d\d)?$/;
const DATE = /^\d{4}-\d\d-\d\d/;

/** step -> name, for the cells of a column of times; steps after the end are extrapolated, or counted as +1, +2. */
export function stepNames(cells) {
  const bare = cells.every((cell) => MIDNIGHT.test(cell)) ? cells.map((cell) => cell.replace(MIDNIGHT, "")) : cells;
  const going = pace(bare);
  return (step) => bare[step] ?? going(step);
}

/** Extrapolates evenly spaced numbers and dates, including months; otherwise counts the steps after the end. */
function pace(cells) {
  const last = cells.length - 1;
  const ahead = (step) => `+${step - last}`;
  if (cells.length < 3) return ahead;
  const numbers = cells.map(Number);
  if (evenly(numbers)) return (step) => String(Number((numbers[last] + (step - last) * (numbers[1] - numbers[0])).toPrecision(12)));
  if (!cells.every((cell) => DATE.test(cell))) return ahead;
  const months = cells.map((cell) => 12 * Number(cell.slice(0, 4)) + Number(cell.slice(5, 7)) - 1);
  const day = cells[0].slice(7);
  if (evenly(months) && months[1] > months[0] && cells.every((cell) => cell.slice(7) === day)) {
    return (step) => {
      const month = months[last] + (step - last) * (months[1] - months[0]);
      return `${Math.floor(month / 12)}-${String((month % 12) + 1).padStart(2, "0")}${day}`;
    };
  }
  // Times are parsed without a time zone, so that daylight saving time has no effect.
  const moments = cells.map((cell) => Date.parse(`${cell.length === 10 ? `${cell}T00:00` : cell.replace(" ", "T").slice(0, 19)}Z`));
  if (!evenly(moments)) return ahead;
  return (step) => {
    const text = new Date(moments[last] + (step - last) * (moments[1] - moments[0])).toISOString();
    return text.slice(0, Math.min(cells[last].length, 19)).replace("T", cells[last][10] ?? "T");
  };
}

const evenly = (values) => values.every((value, n) => Number.isFinite(value) && (n < 1 || Math.abs(value - values[n - 1] - (values[1] - values[0])) < 1e-9 * Math.abs(values[1] - values[0]))) && values[1] !== values[0];
