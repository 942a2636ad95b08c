"""Work on the machines of a Ray cluster. Nothing but this folder imports Ray."""
