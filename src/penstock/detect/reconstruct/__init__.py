"""`AnomalyDetector(kind="reconstruct")`: examples that an encoder-decoder reproduces (Malhotra et al. 2016)."""
