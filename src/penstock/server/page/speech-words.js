// The texts of the view of speech.

export default {
  speechTitle: { en: "Let it write", zh: "让它来写" },
  speechLead: { en: "Speak or choose a recording, and read what is said while it is said.", zh: "对着麦克风说话或选择一段录音，边说边看识别结果。" },
  transcript: { en: "What was said", zh: "识别结果" },
  transcriptEmpty: { en: "Nothing heard yet. Pale words may still change.", zh: "还没有听到声音。浅色的词仍可能改变。" },
  spokenAt: { en: "{start} to {end} s, confidence {confidence}", zh: "{start} 至 {end} 秒，置信度 {confidence}" },
};
