// The texts of the view of signals.

export default {
  signalsTitle: { en: "Watch it recognise", zh: "看它如何识别" },
  signalsLead: { en: "Give it a signal and see the prediction after every step.", zh: "给它一段信号，每一步之后都能看到它的判断。" },
  signalTitle: { en: "The signal", zh: "信号" },
  signalLabel: { en: "The signal over its steps", zh: "各步的信号" },
};
