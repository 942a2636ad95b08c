"""The public names of the rooms that run models."""

import pytest

from penstock import heads, runtime


@pytest.mark.parametrize("room", [heads, runtime], ids=["heads", "runtime"])
def test_all_is_complete_and_sorted(room):
    assert sorted(room.__all__, key=lambda name: (not name.isupper(), name)) == room.__all__
    assert all(hasattr(room, name) for name in room.__all__)
