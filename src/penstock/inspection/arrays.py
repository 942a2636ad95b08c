"""Arrays with named axes."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import MissingExtraError

__all__ = ["NamedArray", "xarray_module"]


@dataclass(frozen=True, eq=False)
class NamedArray:
    """An array whose axes have names and coordinates; NumPy's functions take it as an array.

    Attributes:
        values: the array.
        dims: the name of each axis.
        coords: by name, (axis, the coordinate of each place on it); the names of axes have coordinates of their own.

    Examples:
        >>> import numpy as np
        >>> from penstock.inspection import NamedArray
        >>> array = NamedArray(np.zeros((2, 3)), ("step", "unit"), {"step": ("step", np.arange(2))})
        >>> array.sizes
        {'step': 2, 'unit': 3}
    """

    values: NDArray[Any]
    dims: tuple[str, ...]
    coords: Mapping[str, tuple[str, NDArray[Any]]]

    @property
    def sizes(self) -> dict[str, int]:
        """The length of each axis by name."""
        return dict(zip(self.dims, self.values.shape, strict=True))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.values, dtype, copy=copy)

    def __repr__(self) -> str:
        axes = ", ".join(f"{name}: {size}" for name, size in self.sizes.items())
        return f"NamedArray({axes}; {self.values.dtype})"

    def to_xarray(self) -> Any:
        """Return an `xarray.DataArray`; MissingExtraError if xarray is not installed."""
        return xarray_module().DataArray(self.values, dims=self.dims, coords=dict(self.coords))


def xarray_module() -> Any:
    """Import and return xarray.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        return importlib.import_module("xarray")
    except ModuleNotFoundError as error:
        if error.name != "xarray":
            raise
        raise MissingExtraError("to_xarray() needs xarray: pip install xarray") from error
