"""Translation: a sequence of tokens from another one, such as a sentence in another language."""
