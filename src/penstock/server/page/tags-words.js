// The texts of the view of taggers.

export default {
  tagsTitle: { en: "Watch it tag", zh: "看它如何标注" },
  tagsLead: { en: "Type or paste a text, and see the tag of every token.", zh: "输入或粘贴文字，看每个词元得到什么标签。" },
  tagsHeading: { en: "Tags", zh: "标签" },
  tagsEmpty: { en: "Type a text, and its tokens get their tags.", zh: "输入文字后，每个词元都会得到标签。" },
  tagsApart: { en: "Punctuation as tokens of its own", zh: "标点单独作为词元" },
  tagsRead: { en: "{count} tokens.", zh: "{count} 个词元。" },
  tagsCut: { en: "The page tags the first {count} tokens.", zh: "页面只标注前 {count} 个词元。" },
  tagsLookahead: { en: "A tag is final {count} tokens later.", zh: "再读 {count} 个词元后标签才确定。" },
  tagsNext: { en: "A tag is final one token later.", zh: "再读一个词元后标签才确定。" },
  tagsPending: { en: "final after further tokens", zh: "读到后面的词元后才确定" },
  tagsToken: { en: "“{token}”: {tag}, {p}", zh: "“{token}”：{tag}，{p}" },
  tagsOther: { en: "{count} of {total} tags differ.", zh: "{total} 个标签中有 {count} 个不同。" },
  tagsWord: { en: "word", zh: "词" },
  tagsWhole: { en: "This model finds the best tags of the whole sentence, so there is nothing to see token by token. A tagger that was trained with a look-ahead streams.", zh: "此模型为整句寻找最佳标签序列，因此无法逐词观察。训练时设定前瞻（lookahead）的标注器可以流式标注。" },
};
