"""Attribution of the examples in a report: within a time, and only where it is possible."""

from penstock import TextClassifier
from penstock.runtime import Model
from penstock.tasks.explainer import Explainer
from penstock.text.model import TextModel


def test_inputs_are_explained_while_there_is_time(text_parts):
    model = TextModel(*text_parts())
    explain = Explainer(model)
    assert len(explain("the ferry sailed").values) == 3
    assert explain("") is None
    assert explain("dawn " * 1001) is None
    assert Explainer(model, seconds=0.0)("the ferry") is None


def test_models_without_a_question_have_no_colours(text_parts):
    class Bare(TextModel):
        question = Model.question

    assert Explainer(Bare(*text_parts()))("the ferry") is None


def test_mistakes_of_a_training_hold_what_mattered():
    texts = ["good food here", "bad food here"] * 12
    labels = ["good", "bad"] * 12
    one_is_wrong = (["Good food, long ago"] * 2, ["good", "bad"])
    model = TextClassifier(
        embedding_size=4, hidden_size=4, epochs=1, baseline=False, random_state=0
    ).fit(texts, labels, one_is_wrong, one_is_wrong)  # fmt: skip
    (mistake,) = model.metrics_["mistakes"]
    marked = mistake["attribution"]
    assert marked["tokens"] == ["Good", "food", ",", "long", "ago"]
    assert marked["gaps"] == ["", " ", "", " ", " ", ""]
    assert len(marked["scores"]) == 5
