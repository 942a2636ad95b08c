"""The words of a translator's report, both languages side by side; texts are plain, never HTML."""

__all__ = ["TABLE"]

_WORDS = (
    ("task.translation", "Translator", "翻译模型"),
    (
        "network.attention_decoder",
        "decoder with {attention} attention, {vocabulary_size} tokens",
        "{attention} 注意力解码器，{vocabulary_size} 个词元",
    ),
    ("data.source_characters", "Characters of sources", "原文字符数"),
    ("data.target_characters", "Characters of targets", "译文字符数"),
    ("data.source_vocabulary", "Source tokens known", "已知原文词元数"),
    ("data.target_vocabulary", "Target tokens known", "已知译文词元数"),
    ("metric.bleu", "BLEU", "BLEU"),
    ("metric.chrf", "chrF", "chrF"),
    ("metric.token_accuracy", "accuracy of the next token", "下一词元准确率"),
    ("metric.exact_match", "exact match", "完全匹配率"),
    ("baseline.ibm1", "Word by word (IBM model 1)", "逐词翻译（IBM 模型 1）"),
    ("baseline.copy", "Copy of the source", "照抄原文"),
    ("baseline.most_frequent", "Most frequent target", "最常见的译文"),
    ("compare.source", "source", "原文"),
    ("reason.no source", "no source", "没有原文"),
    ("reason.no target", "no target", "没有译文"),
    ("reason.more tokens than max_length", "more tokens than max_length", "词元数超过 max_length"),
    ("translation.signatures", "How BLEU and chrF count", "BLEU 与 chrF 的计算方式"),
    (
        "translation.signatures_note",
        "sacreBLEU’s signatures: scores can be compared only if these are the same. BLEU and chrF are from 0 to 100. "
        "BLEU counts sequences of up to four words, so it says little about targets of fewer words: look at chrF and "
        "exact match there.",
        "以下为 sacreBLEU 的签名：只有签名相同，分数才可以比较。BLEU 与 chrF 的取值为 0 到 100。"
        "BLEU 统计最多四个词的连续序列，对不足四个词的译文意义不大，此时应看 chrF 与完全匹配率。",
    ),
    ("translation.alignments", "What each token attended to", "每个词元关注的原文"),
    (
        "translation.alignments_note",
        "On the {data}: rows are the translation’s tokens, columns the source’s; the darker a field, the more "
        "attention. The last column is the end of the source.",
        "{data}中的例句：行为译文的词元，列为原文的词元；颜色越深，注意力权重越大。最后一列是原文的结束符。",
    ),
    ("translation.corner", "translation ↓ source →", "译文 ↓ 原文 →"),
    ("translation.by_length", "Scores by the length of the source", "按原文长度划分的分数"),
    (
        "translation.by_length_note",
        "On the {data}, in groups of about the same number of sentences. Lengths are in tokens of the source.",
        "{data}，按长度分成句数大致相等的几组。长度以原文词元计。",
    ),
    ("translation.tokens", "source tokens", "原文词元数"),
    ("translation.to", "{low} to {high}", "{low} 到 {high}"),
    ("translation.rows", "sentences", "句数"),
    ("translation.worst", "Worst sentences", "最差的句子"),
    ("translation.best", "Best sentences", "最好的句子"),
    (
        "translation.worst_note",
        "On the {data}, the lowest chrF first.",
        "{data}中 chrF 最低的句子。",
    ),
    (
        "translation.best_note",
        "On the {data}, the highest chrF first; of equals, the longest.",
        "{data}中 chrF 最高的句子；分数相同者，长句在前。",
    ),
    ("translation.source", "source", "原文"),
    ("translation.prediction", "translation", "译文"),
    ("translation.reference", "reference", "参考译文"),
)

TABLE = {key: {"en": english, "zh": chinese} for key, english, chinese in _WORDS}
"""The text of each key in each language."""
