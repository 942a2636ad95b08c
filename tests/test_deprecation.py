"""What goes warns for a version first, at the line of whoever uses it, and is not forgotten when its time has come."""

import pytest

from penstock import __version__
from penstock.deprecation import deprecated


def fit(vocab):
    deprecated("fit(vocab=)", use="vocabulary=", gone_in="99.1")
    return vocab


def test_it_names_what_goes_when_and_what_to_use():
    with pytest.warns(FutureWarning, match=r"fit\(vocab=\) is deprecated and goes in Penstock 99.1: use voc") as one:
        assert fit(vocab=3) == 3
    assert one[0].filename == __file__


@pytest.mark.parametrize("version", [__version__, "0.0.9", "0.1"])
def test_a_name_whose_time_has_come_is_an_error(version):
    with pytest.raises(AssertionError, match=f"was to go in {version}; this is"):
        deprecated("fit(vocab=)", use="vocabulary=", gone_in=version)
