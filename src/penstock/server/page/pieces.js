// Splits a text into pieces for streaming: words with their punctuation; in scripts without spaces, characters.
// It splits only where a token of penstock.text.features ends, so that the pieces produce the tokens of the text.

// The same ranges as in penstock.text.features, which documents them.
const UNSPACED =
  "\\u3005-\\u3007\\u3021-\\u3029\\u3038-\\u303b\\u3041-\\u3096\\u309d-\\u309f\\u30a1-\\u30fa\\u30fc-\\u30ff\\u31f0-\\u31ff" +
  "\\u3400-\\u4dbf\\u4e00-\\u9fff\\uf900-\\ufaff\\uff66-\\uff9f\\u{1b000}-\\u{1b16f}\\u{20000}-\\u{3ffff}" +
  "\\u0e01-\\u0e30\\u0e32\\u0e33\\u0e40-\\u0e46\\u0e81-\\u0eb0\\u0eb2\\u0eb3\\u0ebd-\\u0ec6\\u0edc-\\u0edf" +
  "\\u1000-\\u102a\\u103f\\u104e\\u1050-\\u1055\\u105a-\\u105d\\u1061\\u1065\\u1066\\u106e-\\u1070\\u1075-\\u1081\\u108e" +
  "\\u1780-\\u17b3\\u17d7\\u17dc";
const LETTERS = `[^\\s${UNSPACED}\\p{P}\\p{S}]+`;
const WORD = `${LETTERS}(?:['’]${LETTERS})*`;
const CHARACTER = `[${UNSPACED}]\\p{M}*`;
const SYMBOLS = "\\p{S}[\\p{S}\\p{M}\\p{Cf}]*";
const OPENING = "(?:[\\p{Ps}\\p{Pi}]\\p{M}*)*";
const CLOSING = "(?:(?![\\p{Ps}\\p{Pi}])\\p{P}\\p{M}*){0,12}";
const PIECE = new RegExp(`${OPENING}(?:${CHARACTER}|${WORD}|${SYMBOLS})${CLOSING}|[\\p{Ps}\\p{Pi}]\\p{M}*|(?:\\p{P}\\p{M}*){1,12}`, "gu");
const TOKEN = new RegExp(`${WORD}|${CHARACTER}|\\p{S}[\\p{M}\\p{Cf}]*|\\p{P}\\p{M}*`, "gu");

/** The pieces of a text, in order. Soft hyphens are removed. */
export const piecesOf = (text) => text.replaceAll("\u00ad", "").match(PIECE) ?? [];

/** Words, marks and, in scripts without spaces, characters: the tokens of a text for a tagger. */
export const tokensOf = (text) => text.match(TOKEN) ?? [];

// Where tokens of a level may end: byte pairs as penstock.tokens.bpe has them, words with the white space before them.
const BYTE_PAIRS = /'(?:s|t|re|ve|m|ll|d)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;
const WORDS_APART = /\s*\S+|\s+$/gu;

/** The pieces of a text for a language model's stream, which together are the text. */
export function spansOf(text, level) {
  if (level === "char" || level === "byte") return [...text];
  return text.match(level === "word" ? WORDS_APART : BYTE_PAIRS) ?? [];
}

/** Names for the `steps` of the network that a piece produces. */
export function stepsOf(piece, steps) {
  const tokens = piece.match(TOKEN) ?? [];
  if (steps === 1) return [piece];
  return tokens.length === steps ? tokens : Array.from({ length: steps }, (_, n) => `${piece} ${n + 1}/${steps}`);
}
