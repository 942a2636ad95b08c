"""The words of a detector's report in both languages."""

__all__ = ["TABLE"]

TABLE = {
    "task.anomaly-detection": {"en": "Anomaly detector", "zh": "异常检测模型"},
    "metric.nab_standard": {"en": "NAB score, standard", "zh": "NAB 得分（标准）"},
    "metric.nab_low_fp": {"en": "NAB score, reward few false alarms", "zh": "NAB 得分（侧重少误报）"},
    "metric.nab_low_fn": {"en": "NAB score, reward few misses", "zh": "NAB 得分（侧重少漏报）"},
    "metric.vus_pr": {"en": "VUS-PR", "zh": "VUS-PR"},
    "metric.example_auc": {"en": "ROC AUC of examples", "zh": "样本的 ROC AUC"},
    "metric.alarms_per_week": {"en": "alarms a week", "zh": "每周告警数"},
    "metric.alarms_per_1000": {"en": "alarms per 1,000 steps", "zh": "每千步告警数"},
    "baseline.nearest_example": {"en": "Distance to the nearest training example", "zh": "到最近训练样本的距离"},
    "baseline.isolation_forest": {"en": "Isolation forest", "zh": "孤立森林"},
    "baseline.seasonal_residual": {"en": "Difference from a season ago", "zh": "与上一周期之差"},
    "baseline.rolling_z": {"en": "Rolling z-score", "zh": "滚动 z 分数"},
    "detect.found_title": {"en": "Alarms", "zh": "告警"},
    "detect.found": {
        "en": (
            "On the {data}, the model's own threshold found {found} of {windows} labelled windows; {false} of its "
            "{alarms} alarms were false."
        ),
        "zh": "{data}：按模型自身的阈值，{windows} 个标注窗口中检出 {found} 个；{alarms} 次告警中有 {false} 次误报。",
    },
    "detect.alarms": {
        "en": "On the {data}, which has no labels, the model raised {alarms} alarms.",
        "zh": "{data}没有标注，模型共发出 {alarms} 次告警。",
    },
    "detect.cut": {
        "en": (
            "The model reproduces examples of at most {window} rows: what was expected is its reconstruction, made "
            "when the example was complete. On the {data}, {flagged} of {examples} examples were flagged as a whole."
        ),
        "zh": (
            "模型对样本（最多 {window} 行）进行重构，预期值即样本完整后得到的重构值。"
            "{data}：{examples} 个样本中有 {flagged} 个整体被标记为异常。"
        ),
    },
    "detect.cut_found": {
        "en": (
            "The model reproduces examples of at most {window} rows: what was expected is its reconstruction, made "
            "when the example was complete. On the {data}, {flagged} of {examples} examples were flagged as a whole, "
            "among them {found} of the {labelled} that hold a labelled row."
        ),
        "zh": (
            "模型对样本（最多 {window} 行）进行重构，预期值即样本完整后得到的重构值。"
            "{data}：{examples} 个样本中有 {flagged} 个整体被标记为异常，"
            "含标注行的 {labelled} 个样本中检出 {found} 个。"
        ),
    },
    "detect.nab_note": {
        "en": (
            "Flagged rows in a row are one alarm. The NAB scores above use the threshold that is best for all series "
            "together, for the model and its baselines alike, as NAB does."
        ),
        "zh": "连续被标记的行算一次告警。上面的 NAB 得分按 NAB 的做法，对模型和各基线都取使全部序列总分最高的阈值。",
    },
    "detect.series": {"en": "series", "zh": "序列"},
    "detect.n_windows": {"en": "labelled windows", "zh": "标注窗口"},
    "detect.n_found": {"en": "found", "zh": "检出"},
    "detect.n_false": {"en": "false alarms", "zh": "误报"},
    "detect.n_alarms": {"en": "alarms", "zh": "告警"},
    "detect.series_title": {"en": "Series and alarms", "zh": "序列与告警"},
    "detect.series_note": {
        "en": (
            "Each series with the range that was expected (99 %), and below it its score beside the threshold. Most "
            "missed windows first, then most false alarms."
        ),
        "zh": "每个序列及其预期范围（99 %），下方为得分与阈值。漏报窗口最多的在前，其次是误报最多的。",
    },
    "detect.range": {"en": "expected range", "zh": "预期范围"},
    "detect.values": {"en": "values", "zh": "数值"},
    "detect.value": {"en": "value", "zh": "数值"},
    "detect.window": {"en": "labelled window", "zh": "标注窗口"},
    "detect.alarm": {"en": "alarm", "zh": "告警"},
    "detect.right": {"en": "alarm inside a window", "zh": "窗口内的告警"},
    "detect.wrong": {"en": "false alarm", "zh": "误报"},
    "detect.time": {"en": "time", "zh": "时间"},
    "detect.score": {"en": "score", "zh": "得分"},
    "detect.score_of": {"en": "{series}: score and threshold", "zh": "{series}：得分与阈值"},
    "detect.threshold": {"en": "threshold", "zh": "阈值"},
    "detect.tails": {"en": "Do the probabilities hold?", "zh": "概率是否可信？"},
    "detect.tails_note": {
        "en": (
            "Of {values} values outside labelled windows: a share of p should have a tail probability of p or less. "
            "A larger share means that the model is too sure of its range."
        ),
        "zh": "标注窗口之外的 {values} 个数值中，尾部概率不超过 p 的比例应为 p。比例偏大说明模型的预期范围过窄。",
    },
    "detect.tail": {"en": "tail probability p", "zh": "尾部概率 p"},
    "detect.share": {"en": "share of the values", "zh": "数值所占比例"},
}
