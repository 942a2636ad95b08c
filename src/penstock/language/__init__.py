"""Language models: the probability of each next token, and the continuation of a text."""
