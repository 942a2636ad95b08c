"""Speech recognition: text from recordings, whole or as they are spoken."""
