"""`attribute`, which explains one input of any model by any method."""

from typing import Any, Literal, get_args

from penstock.errors import ConfigError, MissingExtraError
from penstock.inspection.attribution import Attribution
from penstock.inspection.occlusion import occlusion
from penstock.inspection.subject import runtime_model
from penstock.registry import resolve
from penstock.runtime.question import named_place

__all__ = ["Method", "attribute"]

Method = Literal["integrated_gradients", "occlusion", "gradient_x_input"]
_MOST_STEPS = 20_000


def attribute(
    model: Any,
    input: Any,
    *,
    method: Method = "integrated_gradients",
    target: Any = None,
    at: int | None = None,
    window: int | None = None,
    most_steps: int = _MOST_STEPS,
) -> Attribution:
    """Return how much each token, channel and frame of one input contributed to the prediction.

    What is explained is one number: the log-odds of a label, a predicted number, or the point forecast of a column. It
    is compared with a baseline: for texts unknown words that are spelled alike, for signals and sounds the training
    data's mean, for forecasts a flat look-back at its own mean and covariates at their training mean.

    Args:
        model: a loaded model, or a fitted estimator.
        input: one input, as an element of what `predict` takes: a text, a signal (steps, channels), a recording; of a
            forecaster one series.
        method: "integrated_gradients" and "gradient_x_input" need PyTorch. "occlusion" runs on the engine alone.
        target: the label whose log-odds are explained, by default the predicted one; of a forecaster the target column,
            by default the first.
        at: the step whose prediction is explained, from 1, if each step has one, by default the last; of a forecaster
            the step ahead, by default the mean of all.
        window: for occlusion, the steps or tokens that are replaced together; by default one token, 1/32 of a series of
            numbers, or more where the input is long.
        most_steps: the most steps of the network for one input, because the work grows with their square.

    Raises:
        ConfigError: the method, target, step or window does not exist.
        DataError: the input is empty, too long, or not of the model's kind.
        MissingExtraError: the method needs PyTorch, which is not installed.

    Examples:
        >>> import penstock
        >>> from penstock.inspection import attribute
        >>> model = penstock.load("sentiment")  # doctest: +SKIP
        >>> attribute(model, "Not a good film", method="occlusion").top(1)  # doctest: +SKIP
        [{'token': 'good', 'value': 2.1}]
    """
    named_place("method", method, list(get_args(Method)))
    question = runtime_model(model).question(input, target=target, at=at, most_steps=most_steps)
    if method == "occlusion":
        return occlusion(question, window=window)
    if window is not None:
        raise ConfigError(f"a window is for occlusion; {method} scores each cell. Leave window out.")
    try:
        by_gradients = resolve("penstock.inspection.gradient_attribution:gradient_attribution")
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise MissingExtraError(
            f"{method} needs PyTorch: pip install 'penstock[train]', or choose method='occlusion'"
        ) from error
    return by_gradients(question, method)
