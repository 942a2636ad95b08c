// Predictions of models that label every step.

/** The predictions in a response, one per step: {prediction, probabilities, token}, the last two if known. */
export const predictionsOf = (answer) => answer.steps ?? [answer];

/** The same for rows of `predict`, whose probability keys are probability_<label>. */
export const predictionsOfRows = (rows, labels) =>
  rows.map((row) => ({
    prediction: row.prediction,
    token: row.token,
    probabilities: labels.every((label) => `probability_${label}` in row) ? Object.fromEntries(labels.map((label) => [label, row[`probability_${label}`]])) : undefined,
  }));

/** Formats a predicted label; the second argument is the info of the model. */
export const textOf = (prediction, { labels, label_texts: texts }) => texts[labels.indexOf(prediction)] ?? String(prediction);

/** [{label, from, to}]: runs of adjacent steps with the same label; `to` is the last step. */
export function runsOf(labels) {
  const runs = [];
  labels.forEach((label, step) => {
    if (runs.at(-1)?.label === label) runs.at(-1).to = step;
    else runs.push({ label, from: step, to: step });
  });
  return runs;
}
