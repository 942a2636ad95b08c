"""Text classification; each module is one stage of the way from a file to a prediction."""
