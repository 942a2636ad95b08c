// What a word changed, in log-odds: natural logarithm of p / (1 - p).

const LEAST = 1e-9; // float32 probabilities can be 0; the logarithm must stay finite

/** {label: p} of a row of `predict`, which spells it probability_<label>. */
export function probabilitiesOf(row, labels) {
  return Object.fromEntries(labels.map((label) => [label, row[`probability_${label}`]]));
}

/**
 * The log-odds of a label among {label: p}.
 * 1 - p is summed from the others: near certainty that keeps the digits that 1 - p would lose.
 */
export function logOdds(probabilities, label) {
  let others = 0;
  for (const [name, p] of Object.entries(probabilities)) if (name !== label) others += p;
  return Math.log(Math.max(probabilities[label], LEAST)) - Math.log(Math.max(others, LEAST));
}

/** Along the stream: log-odds after each word minus before it. `first` is the answer to nothing. */
export function changesAlong(first, answers, label) {
  let before = logOdds(first, label);
  return answers.map((probabilities) => {
    const after = logOdds(probabilities, label);
    const change = after - before;
    before = after;
    return change;
  });
}

/** Leaving out: log-odds for the whole minus that without each word. */
export function changesWithout(whole, without, label) {
  const all = logOdds(whole, label);
  return without.map((probabilities) => all - logOdds(probabilities, label));
}
