// The texts of views that read a text word by word.

export default {
  textTitle: { en: "Watch it read", zh: "看它如何阅读" },
  textLead: { en: "Type, and see the prediction change with every word.", zh: "输入文字，每读一个词都能看到网络的判断。" },
  textLabel: { en: "Your text", zh: "文本" },
  textHint: { en: "Type or paste a text in any language", zh: "输入或粘贴任意语言的文字" },
  wordsRead: { en: "{count} words read", zh: "已读 {count} 个词" },
  wordRead: { en: "1 word read", zh: "已读 1 个词" },
  wordsCut: { en: "The page reads the first {count} words.", zh: "页面只读前 {count} 个词。" },
  answerSoFar: { en: "Prediction so far", zh: "目前的预测" },
  before: { en: "before the first word", zh: "尚未读词" },
  afterWord: { en: "after “{word}”, word {n}", zh: "读完第 {n} 个词“{word}”之后" },
  probabilityOf: { en: "Probability of {label}: {p}", zh: "{label} 的概率：{p}" },
  chartProbabilities: { en: "Probability of each class after each word", zh: "每读一个词之后各类别的概率" },
  changed: { en: "What each word changed", zh: "每个词带来的变化" },
  changedStream: { en: "As it was read", zh: "按阅读顺序" },
  changedOut: { en: "If replaced", zh: "替换该词" },
  changedStreamWhy: { en: "Log-odds of {label} after the word minus before it: positive raises its probability, negative lowers it.", zh: "读完该词之后与之前“{label}”的对数几率之差：+ 表示支持，− 表示反对。" },
  changedOutWhy: { en: "Log-odds of {label} for the whole text minus the same with the word replaced by an unknown one.", zh: "全文“{label}”的对数几率，减去把该词换成未知词后的对数几率。" },
  changedWay: { en: "How the change is measured", zh: "变化的计算方式" },
};
