"""Time series in tables: columns found, times read, rows grouped, sorted and put on a grid."""
