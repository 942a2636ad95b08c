"""Texts: classes of them, from a file to a stream; each file here is one stage of that way."""
