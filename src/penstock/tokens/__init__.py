"""Tokens of a text: characters, bytes, words or parts of words, and their ids."""
