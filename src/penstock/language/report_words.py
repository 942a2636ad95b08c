"""Words of reports on language models, in English and Chinese; `report` merges them with its own."""

__all__ = ["WORDS"]

WORDS: dict[str, dict[str, str]] = {
    "task.language-model": {"en": "Language model", "zh": "语言模型"},
    "metric.nats": {"en": "nats", "zh": "纳特"},
    "metric.perplexity": {"en": "perplexity", "zh": "困惑度"},
    "metric.bits_per_character": {"en": "bits per character", "zh": "每字符比特数"},
    "baseline.kneser_ney": {"en": "Kneser-Ney n-grams", "zh": "Kneser-Ney n 元模型"},
    "baseline.unigram": {"en": "token frequencies", "zh": "词元频率"},
    "baseline.repeat": {"en": "each note by its last frame", "zh": "按上一帧逐音符预测"},
    "baseline.frequencies": {"en": "frequencies of notes", "zh": "音符频率"},
    "change.line breaks of Windows, read as plain ones": {
        "en": "line breaks of Windows, read as plain ones",
        "zh": "按普通换行符读取的 Windows 换行符",
    },
    "language.counted": {"en": "What is counted", "zh": "计数方式"},
    "language.counted.char": {
        "en": "Each character is a token, line breaks too; perplexity is per character, and bits per character are its "
        "binary logarithm.",
        "zh": "每个字符（含换行符）是一个词元；困惑度按字符计算，每字符比特数是其以 2 为底的对数。",
    },
    "language.counted.byte": {
        "en": "Each byte of UTF-8 is a token; perplexity is per byte, while bits per character divide by characters.",
        "zh": "UTF-8 的每个字节是一个词元；困惑度按字节计算，每字符比特数则除以字符数。",
    },
    "language.counted.word": {
        "en": "Each word is a token, and so is each end of a line or text; unknown words count as one token of their "
        "own. Perplexity is per token; characters count a space after each word.",
        "zh": "每个词是一个词元，每行或每段文本的结尾也算一个词元；未知词统一算作一种词元。困惑度按词元计算；"
        "字符数计入每个词后的一个空格。",
    },
    "language.counted.bpe": {
        "en": "Each part of a word is a token; perplexity is per token and depends on how many tokens there are, so "
        "compare bits per character with other vocabularies.",
        "zh": "词的每个片段是一个词元；困惑度按词元计算，与词元数量有关，因此与其他词表比较时请看每字符比特数。",
    },
    "language.counted.notes": {
        "en": "Each frame counts once; its nats are the sum over all notes, sounding or not.",
        "zh": "每一帧计一次；一帧的纳特数是所有音符（无论是否发声）之和。",
    },
    "language.sampled": {
        "en": "The training data lie on disk: the network read all of them, the n-grams were made of {tokens} tokens, "
        "spread evenly over them.",
        "zh": "训练数据存放在磁盘上：网络读取了全部数据，n 元模型则由均匀分布于其中的 {tokens} 个词元得出。",
    },
    "language.passages": {"en": "What surprised the model", "zh": "哪些词元出乎模型意料"},
    "language.passages_note": {
        "en": "Passages of the {data}. The darker a token, the less it was expected: the least expected quarter has a "
        "surprisal above {low} nats, the tenth above {middle}, and 3% above {high}.",
        "zh": "以下是{data}中的片段。颜色越深，词元越出乎意料：最意外的四分之一意外度高于 {low} 纳特，"
        "十分之一高于 {middle}，3% 高于 {high}。",
    },
    "language.surprisal": {"en": "surprisal {nats} nats", "zh": "意外度 {nats} 纳特"},
    "language.samples": {"en": "What the model writes", "zh": "模型生成的样本"},
    "language.samples_note": {
        "en": "Drawn after the begin of the {data} (grey), not chosen. Low temperatures draw likely tokens more often.",
        "zh": "以{data}的开头（灰色）为提示生成，未经挑选。温度越低，越常抽到概率高的词元。",
    },
    "language.temperature": {"en": "temperature {temperature}", "zh": "温度 {temperature}"},
}
"""{key: {language: text}}."""
