"""Export to OpenVINO: its own files, made from an ONNX form that its CPU plugin computes right."""

import os
import tempfile
from pathlib import Path

from penstock.convert.exporting.files import Written, check_free, write
from penstock.convert.exporting.onnx_file import network_of
from penstock.convert.exporting.onnx_model import Form
from penstock.convert.exporting.runtimes import openvino_model, openvino_package, openvino_read
from penstock.convert.exporting.verification import check
from penstock.runtime.model import Model

__all__ = ["to_openvino"]


def to_openvino(
    model: Model, path: str | os.PathLike[str], *, streaming: bool = False, overwrite: bool = False
) -> Written:
    """Write a model's network as OpenVINO's NAME.xml and NAME.bin, after OpenVINO gave the model's numbers with them.

    Inputs and outputs are those of `to_onnx`, but for two: whole sequences have no final states, and a stream has no
    lengths, because OpenVINO ignores lengths inside of recurrent layers where sizes are free.

    Args:
        model: what `penstock.load` returns.
        path: the file, NAME.xml; the weights, float32, go to NAME.bin.
        streaming: write the streaming form; not for networks that read backward.
        overwrite: replace files that exist.

    Returns:
        The files, and the largest difference from the model.

    Raises:
        ConfigError: the network has no such form, it differs by more than 1e-5 of its scale, or a file exists.
        MissingExtraError: onnx or OpenVINO isn't installed.
    """
    target = Path(path).with_suffix(".xml")
    beside = target.with_suffix(".bin")
    check_free([target, beside], overwrite=overwrite)
    package, form = openvino_package(), Form(streaming=streaming, portable=True)
    network = network_of(model)
    made = network.made(form)
    converted = openvino_read(made.SerializeToString())
    for each in made.metadata_props:
        converted.set_rt_info(each.value, ["penstock", each.key])
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / target.name
        package.save_model(converted, written, compress_to_fp16=False)
        run = openvino_model(package.Core().read_model(written))
        error = check(network.error(run, form, made), "the export in OpenVINO")
        contents = {target: written.read_bytes(), beside: written.with_suffix(".bin").read_bytes()}
    return Written(write(contents), {"OpenVINO": error})
