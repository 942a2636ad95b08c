// The texts of the view of detectors.

export default {
  detectTitle: { en: "Watch it watch", zh: "看它如何监测" },
  detectLead: { en: "Give it a series row by row, and see what it expected, how surprised it is, and when it raises an alarm.", zh: "逐行给出序列，看它预期什么、有多意外、何时告警。" },
  detectHeading: { en: "Expected range and alarms", zh: "预期范围与告警" },
  detectNote: { en: "Each row is judged when it arrives, by the rows before it. The range holds 99 % of ordinary values.", zh: "每一行到达时，仅依据之前的行判断。正常数值有 99 % 落在预期范围内。" },
  detectNear: { en: "Follow the latest rows", zh: "只看最近的行" },
  detectChart: { en: "The series, the range that was expected, and alarms", zh: "序列、预期范围与告警" },
  detectScores: { en: "The score of each row beside its threshold", zh: "各行的得分与阈值" },
  detectExpected: { en: "expected", zh: "预期" },
  detectScore: { en: "score", zh: "得分" },
  detectThreshold: { en: "threshold", zh: "阈值" },
  detectCount: { en: "{alarms} alarms in {rows} rows.", zh: "{rows} 行中有 {alarms} 次告警。" },
  detectOne: { en: "One alarm in {rows} rows.", zh: "{rows} 行中有 1 次告警。" },
  detectEvents: { en: "Latest events", zh: "最近的事件" },
  detectNothing: { en: "Nothing unusual so far.", zh: "目前没有异常。" },
  detectHow: { en: "score {score}, threshold {threshold}", zh: "得分 {score}，阈值 {threshold}" },
  conditionOutlier: { en: "outlier", zh: "离群值" },
  conditionLevelShift: { en: "level shift", zh: "水平偏移" },
  conditionStuck: { en: "stuck sensor", zh: "数值卡住" },
  conditionGap: { en: "gap in time", zh: "时间间断" },
  conditionMissing: { en: "missing value", zh: "缺失值" },
};
