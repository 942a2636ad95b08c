// Inputs that the model's training stored for the page, if it was allowed to.

/** The inputs, as `predict` takes them. */
export const examplesOf = (info) => info.metrics?.examples ?? [];

/** Steps of numbers as the lines of a table. */
export const linesOf = (steps) => steps.map((step) => step.map((value) => value ?? "").join(", ")).join("\n");
