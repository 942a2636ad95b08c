"""The words of a recogniser's report in both languages."""

__all__ = ["TABLE"]

TABLE = {
    "task.speech-recognition": {"en": "Speech recogniser", "zh": "语音识别模型"},
    "metric.wer": {"en": "word error rate", "zh": "词错误率"},
    "metric.cer": {"en": "character error rate", "zh": "字符错误率"},
    "metric.ser": {"en": "recordings with an error", "zh": "有错误的录音比例"},
    "baseline.most_frequent_transcript": {"en": "Most frequent transcript", "zh": "最常见的文本"},
    "baseline.template_matching": {"en": "Template matching (DTW)", "zh": "模板匹配（DTW）"},
    "speech.speakers": {"en": "By speaker", "zh": "按说话人"},
    "speech.speakers_note": {
        "en": "On the {data}, the highest word error rate first: {shown} of {speakers} speakers, with 95 % intervals.",
        "zh": "{data}，按词错误率从高到低排列：{speakers} 位说话人中的 {shown} 位，附 95 % 区间。",
    },
    "speech.speaker": {"en": "speaker", "zh": "说话人"},
    "speech.recordings": {"en": "recordings", "zh": "录音数"},
    "speech.errors": {"en": "Kinds of errors", "zh": "错误类型"},
    "speech.errors_note": {
        "en": "On the {data}, counted as jiwer does: the fewest edits that lead from the reference to the prediction.",
        "zh": "{data}，统计方式与 jiwer 相同：从参考文本到预测文本所需的最少编辑次数。",
    },
    "speech.words": {"en": "words", "zh": "词"},
    "speech.characters": {"en": "characters", "zh": "字符"},
    "speech.reference": {"en": "in the references", "zh": "参考文本总数"},
    "speech.substituted": {"en": "substituted", "zh": "替换"},
    "speech.inserted": {"en": "inserted", "zh": "插入"},
    "speech.deleted": {"en": "deleted", "zh": "删除"},
    "speech.worst": {"en": "Recordings with the most errors", "zh": "错误最多的录音"},
    "speech.worst_note": {
        "en": (
            "On the {data}, the highest share of wrong words first. Predicted words stand below the waveform at their "
            "times; errors are marked, each with the true word in brackets. Recordings are cut at {seconds} s."
        ),
        "zh": (
            "{data}，按词错误率从高到低排列。预测的词按时间标在波形下方；错误处有标记，括号内为正确的词。"
            "每段录音最多显示 {seconds} 秒。"
        ),
    },
    "speech.waveform": {"en": "Waveform with the predicted words", "zh": "波形及预测的词"},
    "speech.item": {"en": "row {row}, wrong words: {wer}", "zh": "第 {row} 行，错误词占比：{wer}"},
    "reason.no transcript": {"en": "no transcript", "zh": "没有对应的文本"},
    "reason.transcript longer than its recording allows": {
        "en": "transcript longer than its recording allows",
        "zh": "文本过长，录音的步数不够",
    },
    "change.clipped recordings": {"en": "clipped recordings, used as they are", "zh": "削波的录音，仍按原样使用"},
    "change.recordings resampled to a lower rate": {
        "en": "recordings resampled to a lower rate",
        "zh": "降采样的录音",
    },
    "change.recordings resampled to a higher rate, without its upper bands": {
        "en": "recordings resampled to a higher rate, whose upper bands they lack",
        "zh": "升采样的录音（缺少高频部分）",
    },
    "change.unknown tokens in transcripts": {
        "en": "tokens of transcripts that do not occur in training, left out of the loss",
        "zh": "文本中训练数据未出现的词元，不计入损失",
    },
}
