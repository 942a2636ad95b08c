"""Series over time: many steps ahead, with quantiles, also after each observation of a stream."""
