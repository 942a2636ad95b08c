"""`penstock import`: makes a model folder of another library's model."""

from pathlib import Path
from typing import Any

from penstock.cli.card import for_card
from penstock.cli.command import argument, command, option
from penstock.cli.paths import check_new_folder
from penstock.cli.values import PATH, OneOf
from penstock.convert.importing.sources import SOURCES, source_of
from penstock.errors import ConfigError

_WHAT = "; ".join(f"{name}: {source.summary}" for name, source in SOURCES.items())


@command("import", example="penstock import model.keras --out model")
@argument("source", metavar="FILE", type=PATH, help="The file of the other library.")
@option("--out", type=PATH, required=True, metavar="DIR", help="The model's folder to write.")
@option("--from", "origin", type=OneOf(SOURCES), help=f"Where it comes from; default: by the ending. {_WHAT}.")
@option("--overwrite", is_flag=True, help="Replace a model that exists.")
@option("--check", type=PATH, metavar="FILE", help="Sequences (.npy, .npz, .jsonl) that are compared too.")
@option("--no-check", is_flag=True, help="Do not compare the outputs with those of the other library.")
@option("--prefix", help="torch: the recurrent layers whose tensors begin with this, alone.")
@option("--pool", type=OneOf(("last", "mean", "max")), help="torch: what a linear layer reads; default: every step.")
@option("--config", type=PATH, metavar="FILE", help="keras: the architecture as JSON, for a file of weights alone.")
@option("--start", metavar="LAYER", help="keras: the first layer to import.")
@option("--stop", metavar="LAYER", help="keras: the last layer to import.")
@option("--license", help="The model's licence for its card, as the Hub writes it, such as mit.")
@option("--datasets", metavar="NAME,...", help="The data sets for the card, by their names on the Hub.")
def import_model(
    source: Path,
    out: Path,
    origin: str | None,
    overwrite: bool,
    check: Path | None,
    no_check: bool,
    license: str | None,
    datasets: str | None,
    **options: Any,
) -> None:
    """Import a model with recurrent layers from PyTorch, Keras or ONNX, without running code in its file.

    The outputs are compared with the other library's own, where it is installed; a model that differs is refused.
    """
    from penstock.runtime.array_files import read_arrays

    check_new_folder(out, overwrite=overwrite)
    card = for_card(license, datasets)
    name = source_of(source) if origin is None else origin
    given = {key: value for key, value in options.items() if value is not None}
    if others := [key for key in given if key not in SOURCES[name].options]:
        raise ConfigError(f"a model of {name} has no option --{others[0]}. Leave it out.")
    if check is not None and no_check:
        raise ConfigError("--check and --no-check exclude each other. Leave one out.")
    compared = read_arrays(check, {}, False).inputs if check is not None else not no_check
    model = SOURCES[name].reader()(source, check=compared, **given)
    folder = model.save(out, overwrite=overwrite, **card)
    for line in _lines(model.metrics["import"]):
        print(line)
    print(f"wrote {folder}: {model}")


def _lines(about: dict[str, Any]) -> list[str]:
    """What was checked, and what the user should know."""
    checked = about["checked"]
    if checked is None:
        first = f"not compared: {about['not_checked']}"
    else:
        count = checked["random_sequences"] + checked["given_sequences"]
        first = f"{checked['against']}: differs by at most {checked['largest_difference']:.1e} on {count} sequences"
    return [first, *(f"note: {note}" for note in about["notes"])]
