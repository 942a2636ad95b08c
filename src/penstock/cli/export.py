"""`penstock export`: writes a saved model's network for another runtime."""

from pathlib import Path
from typing import Any

from penstock.cli.columns import saved_columns
from penstock.cli.command import argument, command, option
from penstock.cli.inputs import load_model, read_data
from penstock.cli.values import PATH, WHOLE, OneOf
from penstock.convert.exporting.targets import TARGETS
from penstock.errors import ConfigError
from penstock.registry import find

_WHAT = "; ".join(f"{name}: {target.summary}" for name, target in TARGETS.items())


@command("export", example="penstock export sentiment --to onnx -o sentiment.onnx")
@argument("model", metavar="DIR", type=PATH, help="A trained or imported model's folder.")
@option("--to", type=OneOf(TARGETS), required=True, help=f"What to write. {_WHAT}.")
@option("-o", "--out", type=PATH, required=True, metavar="PATH", help="The file to write; for c without an ending.")
@option("--overwrite", is_flag=True, help="Replace files that exist.")
@option("--streaming", is_flag=True, help="Write the form that goes on from call to call, with states in and out.")
@option("--opset", type=WHOLE, help="ONNX only: the version of its operators, 18 to 23; default: 18.")
@option("--int8", is_flag=True, help="Round weights to 8 bits, and measure the loss.")
@option("--data", type=PATH, help="A file as for `penstock predict`, on which the loss is measured; default: random.")
@option("--compiler", help="C only: the compiler for the comparison; default: cc, gcc or clang.")
def export(model: Path, to: str, out: Path, overwrite: bool, **options: Any) -> None:
    """Write a model's network for another runtime, after it gave the model's numbers there.

    What turns texts, sounds and tables into numbers is not part of the file; its metadata describe it. Only C has what
    reads samples, for models of sound.
    """
    target = TARGETS[to]
    given = {name: value for name, value in options.items() if value not in (None, False)}
    if others := [name for name in given if name not in target.options]:
        raise ConfigError(f"--to {to} has no option --{others[0]}. Leave it out.")
    loaded = load_model(model)
    if "data" in given:
        task = find(loaded.task)
        given["data"] = read_data(task, given["data"], saved_columns(task, loaded, {}), answers=False).inputs
    written = target.writer()(loaded, out, overwrite=overwrite, **given)
    for runtime, error in written.errors.items():
        print(f"{runtime}: differs from the model by at most {error:.1e} of the output's scale")
    for name, value in written.measures.items():
        print(f"{name}: {value:.4g}" if isinstance(value, float) else f"{name}: {value}")
    for note in written.notes:
        print(f"note: {note}")
    for path in written.files:
        print(f"wrote {path} ({path.stat().st_size:,} bytes)")
