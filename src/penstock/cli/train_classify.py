"""`penstock train classify`: from a file of labelled texts to a saved model."""

import inspect
import json
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from penstock.cli.evaluate import show_scores
from penstock.cli.options import estimator_flags, parse_options
from penstock.cli.parts import PROPORTIONS, read_parts
from penstock.report import measured_part

if TYPE_CHECKING:
    from penstock.tasks import TextClassifier

_FILE = "CSV, TSV, JSON lines or Parquet, plain or gzipped."
# Said by --from instead.
_NOT_FLAGS = ("warm_start",)


def app() -> typer.Typer:
    """The command, with a flag for each option of `TextClassifier`."""
    from penstock.tasks import TextClassifier

    command = typer.Typer(add_completion=False, rich_markup_mode=None)
    command.command(epilog="Example: penstock train classify reviews.csv --text text --label label --out sentiment")(
        _with_flags(classify, TextClassifier)
    )
    return command


def classify(
    context: typer.Context,
    data: Annotated[Path, typer.Argument(metavar="DATA", help=f"Labelled data: {_FILE}")],
    out: Annotated[Path, typer.Option("--out", help="The folder to write: the model with its report.")],
    text: Annotated[str, typer.Option("--text", help="The column of texts.")] = "text",
    label: Annotated[str, typer.Option("--label", help="The column of labels.")] = "label",
    valid: Annotated[Path | None, typer.Option("--valid", help=f"Validation data. {_FILE}")] = None,
    test: Annotated[Path | None, typer.Option("--test", help=f"Test data, measured once at the end. {_FILE}")] = None,
    split: Annotated[
        str | None,
        typer.Option(
            "--split",
            help="Shares of DATA to train on, validate and test with; two shares for no test. "
            f"{PROPORTIONS} where neither --valid nor --test is given.",
        ),
    ] = None,
    start: Annotated[
        Path | None,
        typer.Option("--from", help="A saved model to go on from; its options are kept where none are given."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a model that is there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")] = False,
    **options: Any,
) -> None:
    """Train a text classifier: topics, sentiment, intents, in any language.

    Writes a folder with the model, what it needs to run without PyTorch, its metrics beside two baselines', and a
    report, report.html, that opens offline.
    """
    from penstock import bundle

    bundle.check_target(out, overwrite=overwrite)
    classifier = _classifier(context, options, start)
    parts, dropped = read_parts(
        data, valid, test, split, columns=(text, label), random_state=classifier.random_state or 0
    )
    train, validation, testing = parts
    try:
        classifier.fit(*train, validation_data=validation, test_data=testing, dropped=dropped)
    except KeyboardInterrupt:
        # The best weights so far are worth keeping, if there are any.
        if hasattr(classifier, "model_"):
            _save(classifier, out, (text, label), overwrite=overwrite)
            typer.echo(f"penstock: stopped early; the best weights so far are in {out}", err=True)
        raise
    _save(classifier, out, (text, label), overwrite=overwrite)
    answer = _answer(classifier.metrics_, out)
    if as_json:
        print(json.dumps(answer))
    else:
        _show(classifier.metrics_, out)


def _with_flags(function: Callable[..., None], estimator: type) -> Callable[..., None]:
    """The function with a parameter for each option instead of `**options`."""
    own = [p for p in inspect.signature(function).parameters.values() if p.kind is not p.VAR_KEYWORD]
    flags = [flag for flag in estimator_flags(estimator) if flag.name not in _NOT_FLAGS]

    @wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> None:
        function(*args, **kwargs)

    # Both, as Typer looks at either; `wraps` would lead it back to the function.
    parameters = [p.replace(kind=p.KEYWORD_ONLY) for p in own] + flags
    wrapped.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    wrapped.__annotations__ = {p.name: p.annotation for p in parameters}
    del wrapped.__wrapped__
    return wrapped


def _classifier(context: typer.Context, options: dict[str, Any], start: Path | None) -> "TextClassifier":
    """A new classifier, or a saved one with the options that were given set anew."""
    from penstock.tasks import TextClassifier

    settings = parse_options(TextClassifier, options)
    if start is None:
        return TextClassifier(**settings)
    given = {name for name in settings if _is_given(context, name)}
    return TextClassifier.load(start).set_params(**{name: settings[name] for name in given})


def _is_given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name != "DEFAULT"


def _save(classifier: "TextClassifier", out: Path, columns: tuple[str, str], *, overwrite: bool) -> None:
    # So that `evaluate` and `predict` find the same columns by themselves.
    classifier.metrics_["data"]["columns"] = dict(zip(("text", "label"), columns, strict=True))
    classifier.save(out, overwrite=overwrite)


def _answer(metrics: dict[str, Any], out: Path) -> dict[str, Any]:
    return {
        "out": str(out),
        "valid": metrics["valid"],
        "test": metrics["test"],
        "baseline": _best_baseline(metrics, measured_part(metrics)),
        "seconds": metrics["seconds"],
        "peak_mb": metrics["peak_mb"],
    }


def _best_baseline(metrics: dict[str, Any], part: str) -> dict[str, float] | None:
    """The scores of TF-IDF, or of the commonest class where TF-IDF wasn't asked for."""
    baselines = metrics["baseline"]
    return (baselines.get("tfidf") or baselines["majority"])[part]


def _show(metrics: dict[str, Any], out: Path) -> None:
    part = measured_part(metrics)
    print(f"{'Test' if part == 'test' else 'Validation'} data, {metrics[part]['rows']} rows:")
    baselines = {"TF-IDF": metrics["baseline"].get("tfidf"), "commonest class": metrics["baseline"]["majority"]}
    show_scores({"model": metrics[part]} | {name: found[part] for name, found in baselines.items() if found})
    print(
        f"{metrics['seconds']:.0f} s, {metrics['peak_mb']:.0f} MB. The model: {out}, its report: {out / 'report.html'}"
    )
