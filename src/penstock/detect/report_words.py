"""The words of a detector's report in both languages."""

__all__ = ["TABLE"]

TABLE = {
    "task.anomaly-detection": {"en": "Anomaly detector", "zh": "异常检测模型"},
    "metric.alarms_per_week": {"en": "alarms a week", "zh": "每周告警数"},
    "metric.alarms_per_1000": {"en": "alarms per 1,000 steps", "zh": "每千步告警数"},
}
