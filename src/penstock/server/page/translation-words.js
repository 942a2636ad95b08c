// The texts of the view of translators.

export default {
  translationTitle: { en: "Watch it translate", zh: "看它如何翻译" },
  translationLead: { en: "Type a text, and see its translation, the ones that came close, and what each word attended to.", zh: "输入文字，看它的译文、得分相近的其他译文，以及每个词注意到了原文的哪些部分。" },
  translationBest: { en: "Translation", zh: "译文" },
  translationOthers: { en: "The best of the search, with their scores", zh: "搜索得到的最佳译文及得分" },
  translationScore: { en: "log-probability by length {score}", zh: "按长度归一的对数概率 {score}" },
  translationEmpty: { en: "(an empty text)", zh: "（空文本）" },
  translationBeam: { en: "Beam", zh: "束宽" },
  translationAlignment: { en: "What each word attended to", zh: "每个词注意到了什么" },
  translationWhy: { en: "Point at a word of the translation: the bluer a word of the source, the more the network attended to it. ■ is the end of a text.", zh: "指向译文中的一个词：原文中的词越蓝，网络对它的注意越多。■ 表示文本结束。" },
  translationWord: { en: "“{word}” attended to {listed}", zh: "“{word}”注意到 {listed}" },
  translationComma: { en: ", ", zh: "、" },
  translationMap: { en: "Attention: a row for each word of the translation, a column for each word of the source", zh: "注意力：每行是译文的一个词，每列是原文的一个词" },
  translationWhole: { en: "A translator reads the whole text before it writes, so there are no gates to see step by step. What mattered for a word is what it attended to.", zh: "翻译模型读完全文才开始写，因此没有可逐步观察的门。对某个词起作用的部分，就是它所注意的部分。" },
};
