// The texts of the view of sounds.

export default {
  audioTitle: { en: "Let it listen", zh: "让它来听" },
  audioLead: { en: "Record or choose a sound, and see what the network hears as it goes on.", zh: "录一段声音或选择一个文件，看网络边听边作出的判断。" },
  soundTitle: { en: "The sound", zh: "声音" },
  record: { en: "Record", zh: "录音" },
  stopRecording: { en: "Stop", zh: "停止" },
  chooseSound: { en: "Choose a sound file", zh: "选择声音文件" },
  soundPrivacy: { en: "The sound goes to this server only, and is not kept.", zh: "声音只发送到此服务器，不会保存。" },
  features: { en: "Loudness of low to high pitches", zh: "由低到高各音高的响度" },
  spectrogramLabel: { en: "Spectrogram: time to the right, pitch upwards", zh: "频谱图：时间向右，音高向上" },
  playerLabel: { en: "Play the sound", zh: "播放声音" },
  chartSound: { en: "Probability of each class as the sound goes on", zh: "声音进行中各类别的概率" },
  emptyHeard: { en: "Nothing heard yet", zh: "还没有听到声音" },
  emptySound: { en: "Up to a minute; the microphone is asked for when you record.", zh: "最长一分钟；开始录音时才会请求使用麦克风。" },
  secondsHeard: { en: "{seconds} s heard", zh: "已听 {seconds} 秒" },
  afterSeconds: { en: "after {seconds} s", zh: "{seconds} 秒之后" },
  wholeSound: { en: "for the whole sound", zh: "整段声音的判断" },
  microphoneInsecure: { en: "Browsers open the microphone only for pages on this computer or by HTTPS. Choose a file instead.", zh: "浏览器只允许本机页面或 HTTPS 页面使用麦克风。请改为选择文件。" },
  microphoneRefused: { en: "The microphone can't be opened ({message}). Choose a file instead.", zh: "无法打开麦克风（{message}）。请改为选择文件。" },
  soundUnreadable: { en: "{file} is no sound that this browser can read.", zh: "浏览器无法读取 {file} 中的声音。" },
};
