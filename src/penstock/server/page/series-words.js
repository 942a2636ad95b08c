// The texts of series of numbers: their input and their charts.

export default {
  numbersLabel: { en: "The series", zh: "序列" },
  numbersHint: { en: "One number a line, or a table with a column for each", zh: "每行一个数；或每列一个变量的表格" },
  chooseCsv: { en: "Choose a CSV file", zh: "选择 CSV 文件" },
  exampleNumber: { en: "Example {n}", zh: "示例 {n}" },
  madeUp: { en: "A made-up series", zh: "虚构的序列" },
  yourSeries: { en: "Your series", zh: "你的序列" },
  stepsRead: { en: "{count} steps read", zh: "已读 {count} 步" },
  stepsCut: { en: "The page reads {count} steps at most.", zh: "页面最多读 {count} 步。" },
  noNumbers: { en: "No column of numbers found.", zh: "没有找到数字列。" },
  fileTooLarge: { en: "The file is too large for this page (4 MB at most).", zh: "文件太大，本页面最多读 4 MB。" },
  columnsNeeded: { en: "This model needs columns named {columns}.", zh: "此模型需要以下列：{columns}。" },
  channelsNeeded: { en: "This model needs {count} columns of numbers.", zh: "此模型需要 {count} 列数字。" },
  column: { en: "Column", zh: "列" },
  emptySeries: { en: "Type, paste or choose a series, or try a made-up one.", zh: "输入、粘贴或选择一个序列，也可以试试虚构的序列。" },
  overTime: { en: "Prediction over time", zh: "判断随时间的变化" },
  afterStep: { en: "after step {n}", zh: "第 {n} 步之后" },
  othersHidden: { en: "The {shown} likeliest of {count} classes are shown; {hidden} more are not.", zh: "显示 {count} 个类别中概率最高的 {shown} 个，其余 {hidden} 个未显示。" },
  chartSteps: { en: "Probability of each class after each step", zh: "每一步之后各类别的概率" },
  chartNumbers: { en: "The predicted number after each step", zh: "每一步之后预测的数值" },
};
