// What models that label every step say, step by step.

/** The predictions of an answer, one for each of its steps: {prediction, probabilities, token}, the last two if known. */
export const predictionsOf = (answer) => answer.steps ?? [answer];

/** The same of the rows of `predict`, which spell a probability probability_<label>. */
export const predictionsOfRows = (rows, labels) =>
  rows.map((row) => ({
    prediction: row.prediction,
    token: row.token,
    probabilities: labels.every((label) => `probability_${label}` in row) ? Object.fromEntries(labels.map((label) => [label, row[`probability_${label}`]])) : undefined,
  }));

/** How a predicted label is written; info: of the model. */
export const textOf = (prediction, { labels, label_texts: texts }) => texts[labels.indexOf(prediction)] ?? String(prediction);

/** [{label, from, to}], steps beside each other that have the same label; `to` is the last of them. */
export function runsOf(labels) {
  const runs = [];
  labels.forEach((label, step) => {
    if (runs.at(-1)?.label === label) runs.at(-1).to = step;
    else runs.push({ label, from: step, to: step });
  });
  return runs;
}
