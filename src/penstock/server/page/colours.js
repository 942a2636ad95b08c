// A scale from orange to blue, safe for colour blindness, with the background colour in the middle.

const AGAINST = {
  light: [[146, 62, 0], [222, 132, 52], [246, 208, 168], [247, 247, 244], [184, 212, 236], [70, 137, 196], [8, 72, 132]],
  dark: [[255, 190, 120], [206, 122, 46], [104, 62, 26], [30, 36, 40], [24, 68, 104], [52, 132, 192], [142, 206, 255]],
};
const isDark = matchMedia("(prefers-color-scheme: dark)");

/** Call `work` when the colours of the page change. */
export const onScheme = (work) => isDark.addEventListener("change", work);

/** The colour [r, g, b] of a value from -1 (orange) to 1 (blue). */
export const against = (value) => along(AGAINST[isDark.matches ? "dark" : "light"], (value + 1) / 2);

/** The colour in CSS notation. */
export const css = ([r, g, b]) => `rgb(${Math.round(r)} ${Math.round(g)} ${Math.round(b)})`;

/** Black or white, the one with more contrast to a colour. */
export const inkOn = ([r, g, b]) => (0.299 * r + 0.587 * g + 0.114 * b > 140 ? "#11161a" : "#ffffff");

/** The CSS class for the colour of the n-th line. */
export const series = (n) => (n < 6 ? `s${n}` : "s-other");

function along(stops, share) {
  const place = Math.min(Math.max(share, 0), 1) * (stops.length - 1) || 0;
  const low = Math.min(Math.floor(place), stops.length - 2);
  const rest = place - low;
  return stops[low].map((from, channel) => from + (stops[low + 1][channel] - from) * rest);
}
