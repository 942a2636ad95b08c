// The texts of the view of forecasts.

export default {
  forecastTitle: { en: "See what it expects", zh: "看它如何预测" },
  forecastLead: { en: "Give it a series, cut it off anywhere, and compare the forecast from there with the actual values.", zh: "给它一个序列，在任意处截断，把从那里开始的预测与实际值对照。" },
  fanTitle: { en: "Forecast and actual values", zh: "预测与实际" },
  fanLead: { en: "Drag the cut-off in the chart, or move it with the slider and its arrow keys.", zh: "在图中拖动截断点，或用滑块和方向键移动。" },
  fanLabel: { en: "The series, and the forecast after {step} with its quantiles", zh: "序列，以及 {step} 之后的预测及其分位数" },
  target: { en: "Target", zh: "目标" },
  near: { en: "Stay near the cut-off", zh: "只看截断点附近" },
  cutOff: { en: "Cut-off", zh: "截断点" },
  cameAfter: { en: "actual", zh: "实际值" },
  forecast: { en: "forecast", zh: "预测" },
  moreContext: { en: "The model forecasts after {count} steps; give it more of the series.", zh: "模型读过 {count} 步之后才能预测，请给出更长的序列。" },
  fanVerdict: { en: "After {step}: mean absolute error {error}; {inside} of {known} within the {share}% interval.", zh: "{step} 之后：平均绝对误差 {error}；{known} 个值中有 {inside} 个落在 {share}% 区间内。" },
  fanFuture: { en: "After {step}: this is still to come.", zh: "{step} 之后：尚未发生。" },
  aheadTitle: { en: "Steps ahead", zh: "逐步预测" },
};
