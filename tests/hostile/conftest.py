"""What tests of files from strangers share."""

import pytest
from files import LIMIT

from penstock.decoded import at_most


@pytest.fixture
def limit():
    """The smaller limit of decoded bytes, for one test."""
    with at_most(LIMIT):
        yield
