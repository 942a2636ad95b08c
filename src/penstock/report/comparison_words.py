"""The words of a comparison's page in both languages; `english` and `chinese` include them."""

__all__ = ["CHINESE", "ENGLISH"]

ENGLISH = {
    "compare.title": "{a} and {b}",
    "compare.lead": "{task}: A is {a}, B is {b}; both predicted the same {rows} rows.",
    "compare.scores": "Scores of A beside B",
    "compare.few": "Only {units} independent cases: these scores are uncertain.",
    "compare.metric": "Metric",
    "compare.verdict": "A beside B",
    "compare.mcnemar": "Which model is right",
    "compare.mcnemar_note": (
        "McNemar’s exact test decides on the accuracy. It looks only at the rows that one model alone has right: "
        "p = {p}, if both were right equally often."
    ),
    "compare.right": "Right",
    "compare.rows": "Rows",
    "compare.both": "both",
    "compare.only_a": "only A",
    "compare.only_b": "only B",
    "compare.neither": "neither",
    "compare.calibration": "Calibration",
    "compare.calibration_note": (
        "Expected calibration error: {a} for A and {b} for B. On the diagonal, probabilities are right."
    ),
    "compare.models": "Networks, size and speed",
    "compare.model": "Model",
    "compare.parameters": "Parameters",
    "compare.size": "Size of the files",
    "compare.speed": "Predictions per second",
    "compare.speed_note": (
        "The models took turns for {rounds} rounds of {predictions} predictions, with {threads} threads: the "
        "median and the middle half of the rounds. A is {ratio} ({low} to {high}) times as fast as B."
    ),
    "compare.disagreements": "Where the models disagree",
    "compare.disagreements_note": "On {rows} rows ({share}); the first {shown} are listed.",
    "compare.agree": "The models agree on every row.",
    "compare.row": "row",
    "compare.text": "text",
    "compare.file": "file",
    "compare.unique_id": "series",
    "compare.ds": "from",
    "compare.target": "target",
    "compare.input": "input",
    "compare.step": "step",
    "compare.truth": "ground truth",
    "compare.prediction_a": "A predicts",
    "compare.prediction_b": "B predicts",
    "compare.probability_a": "probability by A",
    "compare.probability_b": "probability by B",
    "compare.difference": "difference",
    "compare.error_a": "mean error of A",
    "compare.error_b": "mean error of B",
}

CHINESE = {
    "compare.title": "{a} 与 {b}",
    "compare.lead": "{task}：A 为 {a}，B 为 {b}；两者预测的是相同的 {rows} 行数据。",
    "compare.scores": "A 与 B 的指标对比",
    "compare.few": "独立样本只有 {units} 个，指标的不确定性较大。",
    "compare.metric": "指标",
    "compare.verdict": "A 相对于 B",
    "compare.mcnemar": "哪个模型预测正确",
    "compare.mcnemar_note": "准确率采用 McNemar 精确检验，只看仅有一个模型预测正确的行：假设两者同样准确，p = {p}。",
    "compare.right": "预测正确",
    "compare.rows": "行数",
    "compare.both": "两者",
    "compare.only_a": "仅 A",
    "compare.only_b": "仅 B",
    "compare.neither": "都不正确",
    "compare.calibration": "概率校准",
    "compare.calibration_note": "期望校准误差：A 为 {a}，B 为 {b}。落在对角线上表示概率准确。",
    "compare.models": "网络、大小与速度",
    "compare.model": "模型",
    "compare.parameters": "参数量",
    "compare.size": "文件大小",
    "compare.speed": "每秒预测数",
    "compare.speed_note": (
        "两个模型交替运行 {rounds} 轮，每轮 {predictions} 个预测，使用 {threads} 个线程。"
        "表中为各轮的中位数和四分位区间；A 的速度是 B 的 {ratio} 倍（{low}～{high}）。"
    ),
    "compare.disagreements": "两个模型预测不同之处",
    "compare.disagreements_note": "共 {rows} 行（{share}），下面列出前 {shown} 行。",
    "compare.agree": "两个模型对每一行的预测都相同。",
    "compare.row": "行号",
    "compare.text": "文本",
    "compare.file": "文件",
    "compare.unique_id": "序列",
    "compare.ds": "起点",
    "compare.target": "目标",
    "compare.input": "输入",
    "compare.step": "步",
    "compare.truth": "真实值",
    "compare.prediction_a": "A 的预测",
    "compare.prediction_b": "B 的预测",
    "compare.probability_a": "A 的概率",
    "compare.probability_b": "B 的概率",
    "compare.difference": "差值",
    "compare.error_a": "A 的平均误差",
    "compare.error_b": "B 的平均误差",
}
