"""The words of a search's page, in both languages."""

__all__ = ["TABLE"]

TABLE = {
    "search.title": {"en": "{name}: search for options", "zh": "{name}：参数搜索"},
    "search.untitled": {"en": "Search for options", "zh": "参数搜索"},
    "search.lead": {
        "en": "{task}. Trials: {states}; judged by the {metric} of the validation data, in {seconds} s.",
        "zh": "{task}。试验：{states}；按验证数据上的{metric}评判，用时 {seconds} 秒。",
    },
    "search.count": {"en": "{count} {state}", "zh": "{count} 个{state}"},
    "search.state": {"en": "State", "zh": "状态"},
    "search.state.complete": {"en": "complete", "zh": "完成"},
    "search.state.pruned": {"en": "pruned", "zh": "提前终止"},
    "search.state.failed": {"en": "failed", "zh": "失败"},
    "search.state.running": {"en": "running elsewhere", "zh": "在别处运行"},
    "search.state.waiting": {"en": "waiting", "zh": "等待"},
    "search.scores": {"en": "The best options beside the defaults", "zh": "最优参数与默认参数的对比"},
    "search.valid": {
        "en": "Validation data, {metric}: {best} by trial {number}, {defaults} by the defaults (trial 0).",
        "zh": "验证数据上的{metric}：试验 {number} 为 {best}，默认参数（试验 0）为 {defaults}。",
    },
    "search.best": {"en": "best", "zh": "最优"},
    "search.defaults": {"en": "defaults", "zh": "默认"},
    "search.once": {
        "en": (
            "The test data was no part of the search: it was used once, at the end, for these models. The validation "
            "score of the best of many trials is optimistic; the test score is not."
        ),
        "zh": "测试数据不参与搜索，只在最后用于评测这些模型一次。多次试验中最优者的验证指标偏乐观，测试指标则不然。",
    },
    "search.optimistic": {
        "en": "These are scores of the validation data by which the best trial was chosen: they are optimistic.",
        "zh": "这些是用来挑选最优试验的验证数据上的指标，因此偏乐观。",
    },
    "search.options": {"en": "What was searched, and found", "zh": "搜索范围与结果"},
    "search.option": {"en": "Option", "zh": "参数"},
    "search.range": {"en": "Range", "zh": "范围"},
    "search.default": {"en": "Default", "zh": "默认值"},
    "search.found": {"en": "Best", "zh": "最优值"},
    "search.history": {"en": "History", "zh": "搜索过程"},
    "search.so_far": {"en": "best so far", "zh": "截至当时的最优值"},
    "search.trials": {"en": "Trials", "zh": "全部试验"},
    "search.trial": {"en": "Trial", "zh": "试验"},
    "search.importance": {"en": "Importance of the options", "zh": "参数重要性"},
    "search.importance_note": {
        "en": (
            "The share of the metric’s variance that each option explains by itself (fANOVA, Hutter et al. 2014), "
            "estimated from the complete trials. With few trials it is uncertain."
        ),
        "zh": "各参数单独解释的指标方差比例（fANOVA，Hutter 等 2014），由已完成的试验估计。试验少时不确定性较大。",
    },
    "search.share": {"en": "Share", "zh": "比例"},
    "search.parallel": {"en": "Parallel coordinates", "zh": "平行坐标"},
    "search.others": {"en": "other trials", "zh": "其他试验"},
    "search.curves": {"en": "Validation curves", "zh": "验证曲线"},
    "search.curves_note": {
        "en": "A curve that ends early was pruned, stopped by itself or failed.",
        "zh": "较早结束的曲线：被提前终止、自行停止或训练失败。",
    },
    "search.seconds": {"en": "Seconds", "zh": "秒"},
}
