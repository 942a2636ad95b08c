"""Where the tests find real data."""

import os
from pathlib import Path

import pytest

# Real data sets are not part of the project: they lie in PENSTOCK_DATA, or in `shared/data` beside the checkout.
_DATA = Path(os.environ.get("PENSTOCK_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real data sets; tests that need it are skipped where it is absent."""
    if not _DATA.is_dir():
        pytest.skip(f"no real data at {_DATA}: set PENSTOCK_DATA to the folder that holds it")
    return _DATA
