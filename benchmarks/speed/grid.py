"""The figures that `penstock bench --json` wrote, as CSV: a row for each point.

    penstock bench --grid full --rounds 1 --seconds 0.02 --peers torch,onnxruntime,openvino --json full.json
    python benchmarks/speed/grid.py full.json > docs/performance-grid.csv

microseconds are Penstock's; the columns of the others are their times divided by ours, empty where they can't do it.
"""

import csv
import json
import sys
from pathlib import Path


def main() -> int:
    """Print the table as CSV."""
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    rows = json.loads(Path(sys.argv[1]).read_text())["rows"]
    peers = sorted({name for row in rows for name in row["ratios"]})
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(["point", "microseconds", "gflops", "share_of_floor", *peers])
    for row in rows:
        ratios = [f"{row['ratios'][name][1]:.2f}" if name in row["ratios"] else "" for name in peers]
        seconds = row["seconds"]["penstock"]
        table.writerow([row["name"], f"{seconds * 1e6:.1f}", f"{row['gflops']:.0f}", f"{row['share']:.2f}", *ratios])
    return 0


if __name__ == "__main__":
    sys.exit(main())
