// Example inputs that were stored in training, if the user allowed it.

/** The inputs in the format of `predict`. */
export const examplesOf = (info) => info.metrics?.examples ?? [];

/** Formats steps of numbers as lines of a table. */
export const linesOf = (steps) => steps.map((step) => step.map((value) => value ?? "").join(", ")).join("\n");
