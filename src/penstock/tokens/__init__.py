"""Tokens of texts: characters, bytes, words and byte pairs, learned from texts, without PyTorch."""

from penstock.tokens.bpe import BpeTokens
from penstock.tokens.byte import ByteTokens
from penstock.tokens.char import CharTokens
from penstock.tokens.decoder import Decoder
from penstock.tokens.level import BEGIN, END, SPECIAL, UNKNOWN, Tokens
from penstock.tokens.table import LEVELS, read_tokens, train_tokens
from penstock.tokens.word import WordTokens

__all__ = [
    "BEGIN",
    "END",
    "LEVELS",
    "SPECIAL",
    "UNKNOWN",
    "BpeTokens",
    "ByteTokens",
    "CharTokens",
    "Decoder",
    "Tokens",
    "WordTokens",
    "read_tokens",
    "train_tokens",
]
