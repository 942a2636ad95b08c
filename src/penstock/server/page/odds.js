// The effect of a word in log-odds: the natural logarithm of p / (1 - p).

const LEAST = 1e-9; // float32 probabilities can be 0; the logarithm must stay finite

/** {label: p} from a row of `predict`, whose keys are probability_<label>. */
export function probabilitiesOf(row, labels) {
  return Object.fromEntries(labels.map((label) => [label, row[`probability_${label}`]]));
}

/**
 * The log-odds of a label among {label: p}.
 * 1 - p is the sum of the other probabilities: near certainty, this avoids cancellation.
 */
export function logOdds(probabilities, label) {
  let others = 0;
  for (const [name, p] of Object.entries(probabilities)) if (name !== label) others += p;
  return Math.log(Math.max(probabilities[label], LEAST)) - Math.log(Math.max(others, LEAST));
}

/** Streaming: log-odds after each word minus those before it. `first` is the prediction for empty input. */
export function changesAlong(first, answers, label) {
  let before = logOdds(first, label);
  return answers.map((probabilities) => {
    const after = logOdds(probabilities, label);
    const change = after - before;
    before = after;
    return change;
  });
}
