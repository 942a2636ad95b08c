"""The table of tasks, and `register` for tasks of other packages."""

from penstock.errors import ConfigError
from penstock.registry.references import deferred
from penstock.registry.task import Column, Setting, Task

__all__ = ["TASKS", "estimators", "find", "register"]

_ENCODING = Column(
    "encoding",
    "Text encoding, such as gb18030, utf-16 or latin-1; default: UTF-8, or as its byte order mark says.",
    everyday=False,
    remembered=False,
)

_LAYOUT = (
    Column(
        "header",
        "Whether the first row holds the column names; if not, columns are called 1, 2, 3.",
        default=True,
        everyday=False,
    ),
    Column(
        "separator",
        "Column separator: one character, or tab; default: detected.",
        everyday=False,
        remembered=False,
    ),
    _ENCODING,
    Column("decimal", "Decimal mark, '.' or ','; default: detected.", everyday=False, remembered=False),
)
"""How a file of text is laid out, by the fields of `datasets.Layout`."""

_LABEL = Column("label", "Label column; default: label, or the only one possible.", answer=True)
_TIME_FORMAT = Column(
    "time_format",
    "Format of the times, such as %d.%m.%y; or day-first, month-first, dates, numbers; default: detected.",
    everyday=False,
)

_SERIES_COLUMNS = (
    Column("series", "Value columns; a name may be a pattern such as 'v*'.", several=True),
    Column("id", "Signal id column: rows with the same id are the steps of one signal."),
    Column("time", "Time column, by which the steps of a signal are sorted."),
    _TIME_FORMAT,
)

_SERIES = Task(
    name="series-classification",
    command="classify",
    summary="Classify signals, such as sensor data, gestures or heartbeats, or each of their steps.",
    example="gestures.csv --series x,y,z --id recording --label gesture --out gestures",
    columns=(*_SERIES_COLUMNS, _LABEL, *_LAYOUT),
    read=deferred("penstock.signals.readers:read_signal_rows", answer="label", numbers=False),
    estimator="penstock.signals.estimator:SeriesClassifier",
    model="penstock.signals.model:SignalClassModel",
    pipeline="tabular-classification",
    report="penstock.signals.report:render_report",
    claims=deferred("penstock.signals.readers:claims_signals"),
    parse=deferred("penstock.signals.lines:parse_signal"),
)

_SERIES_NUMBERS = Task(
    name="series-regression",
    command="regress",
    summary="Predict a number from a signal, or one for each of its steps.",
    example="engines.csv --series speed,load --id run --target wear --out wear",
    columns=(
        *_SERIES_COLUMNS,
        Column("target", "Target column: numbers to predict; default: target, or the only one possible.", answer=True),
        *_LAYOUT,
    ),
    read=deferred("penstock.signals.readers:read_signal_rows", answer="target", numbers=True),
    estimator="penstock.signals.estimator:SeriesRegressor",
    model="penstock.signals.model:SignalRegressionModel",
    pipeline="tabular-regression",
    report="penstock.signals.report:render_report",
    claims=deferred("penstock.signals.readers:claims_signals"),
    parse=deferred("penstock.signals.lines:parse_signal"),
)

_PANEL_TIME = Column("time", "Time column; default: ds, or the only column of dates. '': none, each row is one step.")
_PANEL_ID = Column("id", "Series id column; default: unique_id, or the only one possible. '': none.")
_AUDIO_PATHS = Column(
    "audio", "Column of file paths, relative to the table's folder; not for a folder or zip of recordings."
)

_TEXT = Task(
    name="text-classification",
    command="classify",
    summary="Classify texts, for example by topic or sentiment, or as spam.",
    example="reviews.csv --text text --label label --out sentiment",
    columns=(
        Column("text", "Text column; default: text, or the only one possible."),
        _LABEL,
        *_LAYOUT,
    ),
    read=deferred("penstock.text.readers:read_text_rows"),
    estimator="penstock.text.estimator:TextClassifier",
    model="penstock.text.model:TextModel",
    pipeline="text-classification",
    blocks=deferred("penstock.text.readers:stream_inputs"),
    parse=str,
)

_FORECAST = Task(
    name="forecasting",
    command="forecast",
    summary="Forecast time series many steps ahead, with quantiles.",
    example="sales.csv --time date --target sold --horizon 28 --out sales",
    columns=(
        _PANEL_TIME,
        _TIME_FORMAT,
        Column("target", "The column to forecast; default: y, or the only one possible.", several=True),
        _PANEL_ID,
        Column("past", "Covariates whose future values are unknown, such as the weather.", several=True),
        Column("known", "Covariates whose future values are known, such as holidays.", several=True),
        *_LAYOUT,
    ),
    read=deferred("penstock.forecast.readers:read_panel"),
    estimator="penstock.forecast.estimator:Forecaster",
    model="penstock.forecast.model:ForecastModel",
    pipeline="time-series-forecasting",
    report="penstock.forecast.report:render_report",
)


_DETECTION = Task(
    name="anomaly-detection",
    command="detect",
    summary="Find anomalies in time series, as they happen.",
    example="machine.csv --time timestamp --target value --out watch",
    columns=(
        _PANEL_TIME,
        _TIME_FORMAT,
        Column("target", "The columns to watch together; default: y, or the only one possible.", several=True),
        _PANEL_ID,
        Column("covariates", "Other columns that values depend on, such as the load.", several=True),
        Column(
            "label_windows",
            "File of labelled anomalies: JSON {series: [[start, end], ...]}, or CSV with series, start and end.",
            answer=True,
            remembered=False,
        ),
        *_LAYOUT,
    ),
    read=deferred("penstock.detect.readers:read_measurements"),
    estimator="penstock.detect.estimator:AnomalyDetector",
    model="penstock.detect.model:DetectorModel",
    models={"reconstruction": "penstock.detect.reconstruct.model:ReconstructionModel"},
    report="penstock.detect.report:render_report",
    words="penstock.detect.report_words:TABLE",
    pipeline="time-series-forecasting",
)

_AUDIO = Task(
    name="audio-classification",
    command="classify",
    summary="Classify sounds, such as spoken words, commands or machine noise.",
    example="recordings.zip --out words",
    columns=(
        _AUDIO_PATHS,
        Column("label", "Label column; not for a folder or zip of recordings.", answer=True),
        *_LAYOUT,
    ),
    read=deferred("penstock.audio.readers:read_recording_rows"),
    estimator="penstock.audio.estimator:AudioClassifier",
    model="penstock.audio.model:AudioModel",
    pipeline="audio-classification",
    report="penstock.audio.report:render_report",
    claims=deferred("penstock.audio.readers:claims_recordings"),
    folder=True,
    blocks=deferred("penstock.shards.recordings:stream_recordings"),
    parse=deferred("penstock.sounds.files:recording_at"),
)

_TAGGING = Task(
    name="tagging",
    command="tag",
    summary="Tag the tokens of sentences: names, parts of speech, word boundaries.",
    example="train.conllu --column upos --out tagger",
    columns=(
        Column("column", "Column of the tags: its name, such as upos, or its number from 1; default: the last."),
        Column("token", "Column of the tokens, likewise; default: the first.", everyday=False),
        Column("form", "Form of the file: columns, conllu, text or json; default: detected.", everyday=False),
        _ENCODING,
    ),
    read=deferred("penstock.tagging.readers:read_tag_rows"),
    estimator="penstock.tagging.estimator:Tagger",
    model="penstock.tagging.model:TaggerModel",
    pipeline="token-classification",
    report="penstock.tagging.report:render_report",
    words="penstock.tagging.report_words:TABLE",
    parse=str,
    settings=(Setting("probabilities", "Of taggers: also the probability of each tag at each token.", bool),),
    as_text=deferred("penstock.tagging.lines:as_lines"),
    rewrite=deferred("penstock.tagging.lines:rewritten"),
)

_BEAM = Setting(
    "beam",
    "Of translators and recognisers of speech: hypotheses that are continued at once; 1 is a greedy search; default: "
    "as in training, and of recognisers 16 with a language model or hot words, else 1.",
    most=16,
)

_TRANSLATION = Task(
    name="translation",
    command="translate",
    summary="Translate sentences, words or other short texts.",
    example="train.de train.en --out german-to-english",
    columns=(
        Column("source", "Column of texts; default: source, or the first of the only two columns of texts."),
        Column("target", "Column of translations; default: target, or the second of these.", answer=True),
        Column(
            "target_file",
            "The translations of DATA, if that is a file with a sentence a line and not a table.",
            answer=True,
            remembered=False,
            file=True,
        ),
        *_LAYOUT,
    ),
    read=deferred("penstock.translate.readers:read_pairs"),
    estimator="penstock.translate.estimator:Translator",
    model="penstock.translate.model:TranslationModel",
    pipeline="translation",
    report="penstock.translate.report:render_report",
    words="penstock.translate.report_words:TABLE",
    parse=str,
    settings=(
        _BEAM,
        Setting("n_best", "Translations of each text, the best first; default: 1."),
        Setting(
            "max_length", "Tokens after which a translation has to end; default: by the training data.", most=10_000
        ),
        Setting("alignment", "Of translators: also what each translation attended to, for JSON lines.", bool),
    ),
    as_text=deferred("penstock.translate.lines:as_line"),
)

_LANGUAGE = Task(
    name="language-model",
    command="language",
    summary="Learn what comes next in texts, by characters, bytes, words or parts of words, or in music.",
    example="shakespeare.txt --level char --out shakespeare",
    columns=(
        Column("text", "Text column of a table; default: text, or the only one possible."),
        Column("part", "Part of a JSON file of music to read: train, valid or test.", remembered=False, everyday=False),
        *_LAYOUT,
    ),
    read=deferred("penstock.language.readers:read_corpus_rows"),
    estimator="penstock.language.estimator:LanguageModel",
    model="penstock.language.model:SequenceGenerator",
    pipeline="text-generation",
    report="penstock.language.report:render_report",
    words="penstock.language.report_words:WORDS",
    parse=str,
    settings=(
        Setting(
            "tokens", "Of language models: the most tokens with which an input is continued; default: 100.", most=10_000
        ),
        Setting("temperature", "Of language models: below 1 for likelier tokens, 0 for the likeliest.", float, 0),
        Setting("top_k", "Of language models: draw among the k likeliest tokens alone."),
        Setting("top_p", "Of language models: draw among the likeliest of this total probability.", float, 0),
        Setting("seed", "Of language models: seed of the random numbers; default: 0.", least=0),
    ),
    measuring=(
        Setting(
            "adapt",
            "Let a language model adapt while it reads: cache or dynamic (evaluation), with options such as "
            "cache:window=500,share=0.1,flatness=0.3 or dynamic:learning_rate=0.1,decay=0.001,steps=20.",
            str,
        ),
    ),
)

_SEARCH = (
    _BEAM,
    Setting("ngrams", "Of recognisers of speech: n-grams of the training transcripts judge the text.", bool),
    Setting("arpa", "Of recognisers of speech: n-grams of this ARPA file judge the text.", str, local=True),
    Setting(
        "language_model",
        "Of recognisers of speech: a language model of characters, of this folder, judges the text.",
        str,
        local=True,
    ),
    Setting("hot_words", "Of recognisers of speech: words that are likely to be said, commas between.", str),
)

_SPEECH = Task(
    name="speech-recognition",
    command="transcribe",
    summary="Recognise speech: write what is said in recordings.",
    example="recordings.csv --audio path --text transcript --out recogniser",
    columns=(
        _AUDIO_PATHS,
        Column("text", "Column of transcripts; not for a folder or zip of recordings.", answer=True),
        Column(
            "speaker",
            "Column of speakers, whose error rates are told apart; default: speaker, if there is one.",
            answer=True,
            everyday=False,
            remembered=False,
        ),
        *_LAYOUT,
    ),
    read=deferred("penstock.speech.readers:read_speech_rows"),
    estimator="penstock.speech.estimator:SpeechRecognizer",
    model="penstock.speech.model:SpeechModel",
    pipeline="automatic-speech-recognition",
    report="penstock.speech.report:render_report",
    words="penstock.speech.report_words:TABLE",
    folder=True,
    parse=deferred("penstock.sounds.files:recording_at"),
    settings=(
        *_SEARCH,
        Setting("words", "Of recognisers of speech: also each word's times and confidence, for JSON lines.", bool),
    ),
    measuring=_SEARCH,
)

TASKS = {
    task.name: task
    for task in (
        _TEXT,
        _SERIES,
        _SERIES_NUMBERS,
        _AUDIO,
        _FORECAST,
        _DETECTION,
        _TAGGING,
        _LANGUAGE,
        _TRANSLATION,
        _SPEECH,
    )
}
"""All tasks that train models, by name."""

_NETWORK = Task(
    name="network",
    command="",
    summary="Run an imported network on arrays.",
    example="",
    columns=(),
    read=deferred("penstock.runtime.array_files:read_arrays"),
    estimator=None,
    model="penstock.runtime.graph_model:GraphModel",
    parse=deferred("penstock.runtime.array_files:parse_sequence"),
)
"""The task of models that came from elsewhere, which can't be trained."""


def register(task: Task) -> None:
    """Add a task from another package, so that the commands and `penstock.load` can use it.

    Raises:
        ConfigError: another task of that name is already registered.
    """
    if TASKS.get(task.name, task) is not task:
        raise ConfigError(f"a task {task.name!r} is already registered. Choose another name.")
    TASKS[task.name] = task


def find(name: str) -> Task:
    """Return the task called `name`.

    Raises:
        ConfigError: there is no such task.
    """
    if name == _NETWORK.name:
        return _NETWORK
    if name not in TASKS:
        raise ConfigError(
            f"there is no task {name!r:.60}; known tasks: {', '.join(TASKS)}. "
            "If another package defines it, import that package first; if a newer Penstock does, upgrade."
        )
    return TASKS[name]


def estimators() -> dict[str, str]:
    """Return the module of each estimator by class name, for tasks that name their estimator as "module:Class"."""
    references = [task.estimator for task in TASKS.values() if isinstance(task.estimator, str)]
    return {name: module for module, _, name in (reference.partition(":") for reference in references)}
