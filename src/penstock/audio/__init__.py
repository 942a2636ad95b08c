"""Sounds: classes of recordings, and words spotted in a stream of samples."""
