"""`penstock evaluate`: a saved model's metrics on labelled data, beside its baseline's."""
