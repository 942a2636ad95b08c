// What the page says, in English and Chinese; which of them a person reads.

const WORDS = {
  en: {
    skip: "Skip to the model",
    model: "Model",
    language: "Language",
    connecting: "Connecting",
    ready: "Connected",
    lost: "Disconnected, trying again",
    refused: "A token is needed",
    tokenTitle: "This server wants a token",
    tokenWhy: "Whoever started the server has it. It is kept until this tab is closed.",
    token: "Token",
    tokenUse: "Open",
    tokenWrong: "The server does not accept this token.",
    loading: "Loading the model…",
    noModels: "The server is running, but it has no models.",
    noModelsHow: "Start it with a trained model's folder: penstock serve FOLDER",
    unknownTask: "This page has no view for {task} yet. The server answers it by HTTP and WebSocket all the same.",
    unreachable: "The server can't be reached. The page goes on by itself once it is back.",
    again: "Try again",
    failed: "That did not work: {message}",
    factCell: "{cell}, {layers} × {units} units",
    factParameters: "{count} parameters",
    factClasses: "{count} classes",
    whole: "This model reads in both directions, so it answers whole inputs only: there is nothing to see word by word.",
    // text
    textTitle: "Watch it read",
    textLead: "Type, and with every word see what the network makes of it.",
    textLabel: "Your text",
    textHint: "Type or paste a text in any language",
    examples: "Try",
    clear: "Clear",
    wordsRead: "{count} words read",
    wordRead: "1 word read",
    wordsCut: "The page reads the first {count} words.",
    answerSoFar: "Answer so far",
    before: "before the first word",
    afterWord: "after “{word}”, word {n}",
    probabilityOf: "Probability of {label}: {p}",
    chartProbabilities: "Probability of each class after each word",
    changed: "What each word changed",
    changedStream: "As it was read",
    changedOut: "If left out",
    changedStreamWhy: "Log-odds of {label} after the word minus before it: + speaks for it, − against it.",
    changedOutWhy: "Log-odds of {label} for the whole text minus the same without the word, read anew each time.",
    changedWay: "How the change is measured",
    changedClass: "Class",
    likeliest: "the likeliest",
    wordChange: "{word}: {change}",
    leavingOut: "Reading the text without each word…",
    tooLongOut: "Only texts of up to {count} words are read again without each word.",
    inside: "Inside the network",
    insideLead: "Each row is a unit, each column a word. Pick a cell to see that unit's gates over the whole text.",
    layer: "Layer",
    show: "Show",
    order: "Rows",
    orderNumber: "by number",
    orderLively: "liveliest first",
    mapLabel: "Heat map: {what} of each unit at each word",
    mapKeys: "Arrow keys move, plus and minus zoom, 0 shows everything.",
    zoomIn: "Zoom in",
    zoomOut: "Zoom out",
    zoomAll: "Show everything",
    cell: "Unit {unit} at “{word}”: {what} {value}",
    unitTitle: "Unit {unit} over the text",
    unitChart: "Gates and states of unit {unit} after each word",
    closed: "closed",
    open: "open",
    empty: "Nothing read yet",
    emptyText: "The map fills as you type.",
    // gates and states
    input: "Input gate",
    forget: "Forget gate",
    cell_gate: "Candidate",
    output: "Output gate",
    reset: "Reset gate",
    update: "Update gate",
    candidate: "Candidate",
    h: "Output h",
    c: "Memory c",
    announceAnswer: "{label}, {p}",
  },
  zh: {
    skip: "跳到模型",
    model: "模型",
    language: "语言",
    connecting: "正在连接",
    ready: "已连接",
    lost: "连接已断开，正在重试",
    refused: "需要令牌",
    tokenTitle: "此服务器需要令牌",
    tokenWhy: "请向启动服务器的人索取。令牌只保留到关闭本标签页为止。",
    token: "令牌",
    tokenUse: "进入",
    tokenWrong: "服务器不接受这个令牌。",
    loading: "正在载入模型……",
    noModels: "服务器正在运行，但没有载入模型。",
    noModelsHow: "启动时请指定训练好的模型文件夹：penstock serve 文件夹",
    unknownTask: "本页面暂不支持 {task}，但仍可通过 HTTP 和 WebSocket 使用该模型。",
    unreachable: "无法连接服务器。恢复后页面会自动继续。",
    again: "重试",
    failed: "出错了：{message}",
    factCell: "{cell}，{layers} 层 × {units} 个单元",
    factParameters: "{count} 个参数",
    factClasses: "{count} 个类别",
    whole: "此模型双向读取，只能对完整输入作答，因此无法逐词观察。",
    textTitle: "看它如何阅读",
    textLead: "输入文字，每读一个词都能看到网络的判断。",
    textLabel: "文本",
    textHint: "输入或粘贴任意语言的文字",
    examples: "示例",
    clear: "清空",
    wordsRead: "已读 {count} 个词",
    wordRead: "已读 1 个词",
    wordsCut: "页面只读前 {count} 个词。",
    answerSoFar: "目前的判断",
    before: "尚未读词",
    afterWord: "读完第 {n} 个词“{word}”之后",
    probabilityOf: "{label} 的概率：{p}",
    chartProbabilities: "每读一个词之后各类别的概率",
    changed: "每个词带来的变化",
    changedStream: "按阅读顺序",
    changedOut: "去掉该词",
    changedStreamWhy: "读完该词之后与之前“{label}”的对数几率之差：+ 表示支持，− 表示反对。",
    changedOutWhy: "全文“{label}”的对数几率，减去去掉该词后重新读取的对数几率。",
    changedWay: "变化的计算方式",
    changedClass: "类别",
    likeliest: "最可能的类别",
    wordChange: "“{word}”：{change}",
    leavingOut: "正在逐一去掉每个词重新读取……",
    tooLongOut: "只有不超过 {count} 个词的文本才会逐词去掉重读。",
    inside: "网络内部",
    insideLead: "每行是一个单元，每列是一个词。点选一格，可查看该单元各个门在全文中的变化。",
    layer: "层",
    show: "显示",
    order: "行序",
    orderNumber: "按编号",
    orderLively: "变化大的在前",
    mapLabel: "热图：各单元在每个词处的{what}",
    mapKeys: "方向键移动，加号和减号缩放，0 显示全部。",
    zoomIn: "放大",
    zoomOut: "缩小",
    zoomAll: "显示全部",
    cell: "单元 {unit}，“{word}”：{what} {value}",
    unitTitle: "单元 {unit} 在全文中的变化",
    unitChart: "每个词之后单元 {unit} 的门与状态",
    closed: "关闭",
    open: "打开",
    empty: "尚未读取",
    emptyText: "输入文字后，热图会逐词展开。",
    input: "输入门",
    forget: "遗忘门",
    cell_gate: "候选值",
    output: "输出门",
    reset: "重置门",
    update: "更新门",
    candidate: "候选值",
    h: "输出 h",
    c: "记忆 c",
    announceAnswer: "{label}，{p}",
  },
};

const KEPT = "penstock-language";
let current = remembered() ?? (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en");

function remembered() {
  try {
    const kept = localStorage.getItem(KEPT);
    return kept in WORDS ? kept : null;
  } catch {
    return null; // storage is forbidden
  }
}

/** The language in use: "en" or "zh". */
export const language = () => current;

/** The words for a key, with {names} filled in. */
export function words(key, values = {}) {
  const text = WORDS[current][key] ?? WORDS.en[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/** Put the words into every element below `root` that asks for them by data-say, data-say-label or data-say-hint. */
export function speak(root = document) {
  for (const node of root.querySelectorAll("[data-say]")) node.textContent = words(node.dataset.say);
  for (const node of root.querySelectorAll("[data-say-label]")) node.setAttribute("aria-label", words(node.dataset.sayLabel));
  for (const node of root.querySelectorAll("[data-say-hint]")) node.placeholder = words(node.dataset.sayHint);
}

/** Change the language, and keep the choice. */
export function setLanguage(language) {
  current = language;
  try {
    localStorage.setItem(KEPT, language);
  } catch {
    // Then it holds for this visit.
  }
}

/** A count with separators. */
export const count = (n) => n.toLocaleString(current === "zh" ? "zh-CN" : "en-GB");

/** A share as people read it: 93.4 %. */
export const percent = (p) => `${(100 * p).toFixed(1)}${current === "zh" ? "" : " "}%`;

/** A signed number: +0.82, −1.10. */
export const signed = (x, digits = 2) => (x < 0 ? "−" : "+") + Math.abs(x).toFixed(digits);
