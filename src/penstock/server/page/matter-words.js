// The texts of what mattered.

export default {
  matter: { en: "What mattered", zh: "哪些部分起了作用" },
  matterOdds: { en: "Each part is replaced in turn by what is usual. Blue: the part raises the log-odds of {label}; orange: it lowers them.", zh: "依次把每一部分换成通常的值。蓝色：该部分提高“{label}”的对数几率；橙色：降低。" },
  matterValue: { en: "Each part is replaced in turn by what is usual. Blue: the part raises the prediction; orange: it lowers it.", zh: "依次把每一部分换成通常的值。蓝色：该部分提高预测值；橙色：降低。" },
  matterAsking: { en: "Replacing each part in turn…", zh: "正在依次替换每一部分……" },
  matterAhead: { en: "Step ahead", zh: "未来第几步" },
  matterMean: { en: "mean of all", zh: "全部步的均值" },
  matterChannel: { en: "channel {name}", zh: "通道 {name}" },
  matterSteps: { en: "step {steps}", zh: "第 {steps} 步" },
  lowers: { en: "lowers", zh: "降低" },
  raises: { en: "raises", zh: "提高" },
};
