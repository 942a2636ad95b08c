// The texts of the view of models that label every step.

export default {
  stepsTitle: { en: "A label for every step", zh: "每一步的标签" },
  stepsLead: { en: "Give it an input and see which label each of its steps gets.", zh: "给它一段输入，看每一步得到什么标签。" },
  stepsHeading: { en: "Labels of the words", zh: "各词的标签" },
  stepsEmpty: { en: "Type a text, and each word gets its label.", zh: "输入文字后，每个词都会得到标签。" },
  stepsNow: { en: "Label of the step", zh: "这一步的标签" },
};
