"""Models of other libraries as graphs: a file for each library and part, and the check that all of them pass."""
