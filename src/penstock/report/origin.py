"""The origin of a model: name, date, data, the command that reproduces it, network, seed, versions, machine."""

from penstock.report.figures import Figures, escape
from penstock.report.page import PARTS, section
from penstock.report.words import Words

__all__ = ["lead", "network_words", "origin_section"]

_VERSIONS = {"penstock": "Penstock", "python": "Python", "numpy": "NumPy", "torch": "PyTorch"}
_CELLS = {"lstm": "LSTM", "gru": "GRU", "rnn": "RNN"}


def lead(figures: Figures, words: Words) -> str:
    """Return the line below the heading, as HTML."""
    shown = {
        "seconds": figures.number("seconds", form=",.1f", unit=" s"),
        "memory": figures.number("peak_mb", form=",.0f", unit=" MB"),
        "version": figures.text("penstock"),
    }
    return words("lead", **shown) if figures.get("seconds") is not None else ""


def origin_section(figures: Figures, words: Words) -> str:
    """Return the card at the top; unknown values are left out."""
    rows = [
        ("date", _date(figures)),
        ("data", _sources(figures, words)),
        ("rows", _rows(figures, words)),
        ("columns", _columns(figures)),
        ("digest", "" if _is_hashed(figures) else figures.text("data", "digest", code=True)),
        ("command", figures.text("command", code=True)),
        ("call", "" if figures.get("command") else figures.text("call", code=True)),
        ("network", network_words(figures, words)),
        ("parameters", _number(figures, "parameters")),
        ("seed", _number(figures, "random_state")),
        ("versions", _versions(figures)),
        ("machine", _machine(figures, words)),
    ]
    lines = "".join(
        f"<div><dt>{escape(words(f'origin.{key}'))}</dt><dd>{value}</dd></div>" for key, value in rows if value
    )
    return section(words("origin"), f'<dl class="facts">{lines}</dl>') if lines else ""


def network_words(figures: Figures, words: Words, place: tuple[str, ...] = ()) -> str:
    """Describe the network from input to prediction, as HTML, each number marked with its place.

    Args:
        place: the keys of what has a network.
    """
    places = [(*place, "network", part) for part in ("inputs", "encoder", "head")]
    return " → ".join(_part(figures, words, part) for part in places if figures.get(*part))


def _part(figures: Figures, words: Words, place: tuple[str, ...]) -> str:
    """Describe a part of the network; return the name of its kind if the table has no text for it."""
    described, part = figures.get(*place), place[-1]
    kind = str(described.get("kind", ""))
    if not words.knows(f"network.{kind}"):
        return escape(kind.replace("_", " "))
    shown = {
        name: figures.number(*place, name) if isinstance(value, int) else escape(value)
        for name, value in described.items()
    }
    if part == "encoder":
        shown["cell"] = escape(_CELLS.get(str(described.get("cell")), described.get("cell")))
    text = words(f"network.{kind}", **shown)
    return words("network.both", part=text) if described.get("bidirectional") else text


def _date(figures: Figures) -> str:
    date = figures.get("made", "date")
    if date is None:
        return ""
    shown = str(date).replace("T", " ").replace("+00:00", " UTC")
    return f'<time datetime="{escape(date)}" data-metric="/made/date">{escape(shown)}</time>'


def _sources(figures: Figures, words: Words) -> str:
    """Return the files that were read, with size and hash."""
    lines = []
    sources = figures.get("data", "sources", default={})
    for part in (part for part in PARTS if part in sources):
        place = ("data", "sources", part)
        label = f"{escape(words.name('part', part))}: " if len(sources) > 1 else ""
        lines.append(label + _source(figures, words, place))
        beside = range(len(figures.get(*place, "beside", default=[])))
        lines += [label + _source(figures, words, (*place, "beside", number)) for number in beside]
    return "<br>".join(lines)


def _source(figures: Figures, words: Words, place: tuple[str | int, ...]) -> str:
    """Return a file with its size and hash, as HTML."""
    name = figures.text(*place, "file")
    size = figures.number(*place, "bytes", unit=" B") if figures.get(*place, "bytes") is not None else ""
    digest = figures.text(*place, "sha256", code=True)
    text = words("origin.file", file=name, size=size) if size else name
    return text + (f'<br><span class="quiet">{words("origin.sha256")}</span> {digest}' if digest else "")


def _is_hashed(figures: Figures) -> bool:
    """Return whether the hash of a file identifies the data."""
    return figures.get("data", "sources", "train", "sha256") is not None


def _rows(figures: Figures, words: Words) -> str:
    return " · ".join(
        f"{escape(words.name('part', part))} {figures.number('data', part, 'rows')}"
        for part in PARTS
        if figures.get("data", part)
    )


def _columns(figures: Figures) -> str:
    columns = figures.get("data", "columns", default={})
    shown = []
    for name, value in sorted(columns.items()):  # independent of the order of keys in the file
        if isinstance(value, str):
            shown.append(f"{escape(name)}: {figures.text('data', 'columns', name, code=True)}")
        elif isinstance(value, list | tuple):
            several = ", ".join(figures.text("data", "columns", name, k, code=True) for k in range(len(value)))
            shown.append(f"{escape(name)}: {several}")
    return "; ".join(shown)


def _number(figures: Figures, *keys: object) -> str:
    return figures.number(*keys) if figures.get(*keys) is not None else ""


def _versions(figures: Figures) -> str:
    versions = figures.get("made", "versions", default={})
    return ", ".join(
        f"{_VERSIONS.get(name, escape(name))} {figures.text('made', 'versions', name)}"
        for name in sorted(versions, key=lambda name: (list(_VERSIONS).index(name) if name in _VERSIONS else 9, name))
    )


def _machine(figures: Figures, words: Words) -> str:
    if not figures.get("made", "machine"):
        return ""
    place = ("made", "machine")
    engine = words(
        "origin.engine",
        engine=figures.text(*place, "engine"),
        threads=figures.number(*place, "threads"),
        torch_threads=figures.number(*place, "torch_threads"),
    )
    return f"{figures.text(*place, 'system')}; {engine}"
