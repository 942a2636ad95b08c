"""Audio: classification of recordings, and word spotting in a stream of samples."""
