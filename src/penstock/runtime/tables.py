"""Columns of tables that a saved model reads."""

from collections.abc import Callable, Collection, Sequence
from typing import Any

from penstock.datasets.columns import plain_column
from penstock.datasets.finding import usual_name
from penstock.datasets.frames import table_column, table_names
from penstock.datasets.naming import absent_words
from penstock.errors import DataError

__all__ = ["chosen_column"]


def chosen_column(
    table: Any,
    trained: str | None,
    *,
    usual: str,
    fits: Callable[[Sequence[Any]], bool] | None = None,
    taken: Collection[str] = (),
) -> str:
    """Return the name of a column for a role: that of training, else the usual one, else the only one that fits.

    Args:
        table: as `tabular` returns it.
        trained: the name of the column in training, if it is known.
        usual: the name of the role, which is the usual name of its column.
        fits: whether values suit the role; None if only a name tells.
        taken: columns with another role.

    Raises:
        DataError: there is no such column, or there are several.
    """
    names = [name for name in table_names(table) if name not in taken]
    if trained in names:
        return str(trained)
    if (named := usual_name(usual, names)) is not None:
        return named
    fitting = [name for name in names if fits is not None and fits(plain_column(table_column(table, name), name))]
    if len(fitting) == 1:
        return fitting[0]
    which = (
        f"may have it in {' or '.join(map(repr, fitting[:8]))}" if fitting else absent_words([trained or usual], names)
    )
    raise DataError(f"the table {which}. Pass the column itself, such as table[{(fitting or names or [usual])[0]!r}]")
