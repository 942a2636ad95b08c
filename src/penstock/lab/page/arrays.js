// Reads the arrays that `penstock.lab.arrays` packed.

/** The object, with every packed array in it replaced by {shape, values}. */
export function unpackAll(data) {
  if (data === null || typeof data !== "object") return data;
  if (Array.isArray(data)) return data.map(unpackAll);
  if ("uint16" in data || "float32" in data) return unpacked(data);
  return Object.fromEntries(Object.entries(data).map(([name, value]) => [name, unpackAll(value)]));
}

/** The numbers along the last axis at the given places of the axes before it. */
export function row({ shape, values }, ...places) {
  const size = places.reduceRight((rest, _, axis) => rest / shape[axis], values.length);
  const at = places.reduce((start, place, axis) => start * shape[axis] + place, 0);
  return values.slice(at * size, (at + 1) * size);
}

function unpacked({ shape, float32, uint16, low, high, log }) {
  const bytes = Uint8Array.from(atob(float32 ?? uint16), (letter) => letter.charCodeAt(0));
  if (float32 !== undefined) return { shape, values: Float64Array.from(new Float32Array(bytes.buffer)) };
  const scaled = Float64Array.from(new Uint16Array(bytes.buffer), (level) => low + (level / 65535) * (high - low));
  return { shape, values: log ? scaled.map(Math.exp) : scaled };
}
