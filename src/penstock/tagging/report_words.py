"""The words of a tagger's report in both languages."""

__all__ = ["TABLE"]

TABLE = {
    "task.tagging": {"en": "Tagger", "zh": "序列标注模型"},
    "metric.f1": {"en": "F1", "zh": "F1"},
    "metric.precision": {"en": "precision", "zh": "精确率"},
    "metric.recall": {"en": "recall", "zh": "召回率"},
    "metric.accuracy_unknown": {"en": "accuracy on unknown words", "zh": "未登录词准确率"},
    "baseline.crf": {"en": "CRF on hand-made features", "zh": "人工特征 CRF"},
    "baseline.most_frequent_tag": {"en": "Most frequent tag of each word", "zh": "每个词最常见的标签"},
    "tags.types": {"en": "Each type of span", "zh": "各类型的片段"},
    "tags.types_note": {
        "en": "A span is right if its type and both of its ends are (counted as conlleval and seqeval do).",
        "zh": "类型和首尾边界全部正确才算对（统计方式与 conlleval、seqeval 相同）。",
    },
    "tags.tags": {"en": "Each tag", "zh": "各标签"},
    "tags.worst": {"en": "Sentences with the most errors", "zh": "错误最多的句子"},
    "tags.worst_spans": {
        "en": (
            "On the {data}. Each sentence is shown with the true spans, then with the predicted ones; those that "
            "differ are red."
        ),
        "zh": "{data}。每个句子先标出真实片段，再标出预测片段；不一致的片段标为红色。",
    },
    "tags.worst_tags": {
        "en": "On the {data}. Wrong tags are red, each with the right one in brackets.",
        "zh": "{data}。错误的标签标为红色，括号内为正确标签。",
    },
    "tags.true": {"en": "true", "zh": "真实"},
    "tags.predicted": {"en": "predicted", "zh": "预测"},
    "tags.count": {"en": "row {row}, errors: {errors}", "zh": "第 {row} 行，错误数：{errors}"},
    "reason.empty sentences": {"en": "empty sentences", "zh": "空句子"},
    "change.document marks, left out": {"en": "document marks, left out", "zh": "文档标记，已略去"},
    "change.multiword tokens, left out": {
        "en": "lines of multiword tokens, left out: their words are read",
        "zh": "多词词例行，已略去（读取其中的各个词）",
    },
    "change.empty nodes, left out": {"en": "empty nodes, left out", "zh": "空节点，已略去"},
    "change.rows without tokens, left out": {"en": "rows without tokens, left out", "zh": "没有词例的行，已略去"},
    "change.characters with the digits of their places in words, cut off": {
        "en": "characters with the digits of their places in words, which were cut off",
        "zh": "带有词内位置数字的字符，数字已去掉",
    },
    "change.broken tags, repaired": {
        "en": "tags of broken sequences, repaired as conlleval reads them",
        "zh": "不合法序列中的标签，已按 conlleval 的规则修复",
    },
    "change.tags unseen in training, counted as errors": {
        "en": "tags that do not occur in training, counted as errors",
        "zh": "训练数据中未出现的标签，按错误计算",
    },
}
