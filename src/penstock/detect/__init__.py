"""Detection: anomalies in series over time, as they happen."""
