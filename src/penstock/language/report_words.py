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
}
"""{key: {language: text}}."""
