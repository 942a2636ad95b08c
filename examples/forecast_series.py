"""Forecast the daily sales of two shops, with a campaign that is known in advance; then stream day by day."""

import tempfile
from pathlib import Path

import numpy as np

import penstock

HORIZON, DAYS, TEST_DAYS = 7, 400, 60


def sales() -> dict[str, np.ndarray]:
    """Generate a long table: a weekly pattern, occasional campaigns and noise."""
    generator = np.random.default_rng(0)
    days = np.datetime64("2024-01-01") + np.arange(DAYS + HORIZON)
    week = np.array([0, 1, 2, 3, 6, 9, 4])[np.arange(len(days)) % 7]
    tables = []
    for shop, size in (("north", 1.0), ("south", 3.0)):
        campaign = generator.random(len(days)) < 0.2
        sold = size * (10 + week + 8 * campaign + generator.normal(0, 1, len(days)))
        sold[DAYS:] = np.nan  # future days: the campaign is known, the sales are not
        tables.append((np.full(len(days), shop), days, sold, campaign.astype(float)))
    columns = (np.concatenate(each) for each in zip(*tables, strict=True))
    return dict(zip(("unique_id", "ds", "y", "campaign"), columns, strict=True))


def main() -> None:
    """Train, save, load, forecast and stream."""
    panel = penstock.read_series(sales(), known=["campaign"])
    forecaster = penstock.Forecaster(horizon=HORIZON, context=28, hidden_size=32, random_state=0)
    parts = forecaster.split(panel, (DAYS - 2 * TEST_DAYS, TEST_DAYS, TEST_DAYS), 0)
    forecaster.fit(*parts)
    metrics = forecaster.metrics_
    for name, scores in (("network", metrics["test"]), *((n, b["test"]) for n, b in metrics["baseline"].items())):
        print(f"{name}: mean absolute error {scores['mae']:.2f}")
    assert metrics["test"]["mae"] < min(scores["test"]["mae"] for scores in metrics["baseline"].values())

    with tempfile.TemporaryDirectory() as folder:
        forecaster.save(Path(folder) / "sales")
        model = penstock.load(Path(folder) / "sales")  # from here on, PyTorch is not used

    low, middle, high = np.moveaxis(model.predict_quantiles(panel)[1, :, 0], -1, 0)
    for day in range(HORIZON):
        print(f"south, in {day + 1} days: {middle[day]:.0f}, between {low[day]:.0f} and {high[day]:.0f}")

    series = panel.series[1]
    stream = model.stream("south")
    stream.read(zip(series.values[:-1, 0], series.known[: DAYS - 1, 0], strict=True))
    ahead = {"campaign": series.known[DAYS:, 0]}
    last = {"y": series.values[-1, 0], "campaign": series.known[DAYS - 1, 0], "ahead": ahead}
    assert np.array_equal(stream.push(last).prediction[:, 0], middle)  # bit-identical


if __name__ == "__main__":
    main()
