// Sounds as samples at a model's rate, from a file or from the microphone.

/** The samples (mono, -1 to 1) of a sound file that the browser can decode, at the given rate. */
export async function samplesOf(file, rate) {
  // A context resamples to its own rate when it decodes.
  const sound = await new OfflineAudioContext(1, 1, rate).decodeAudioData(await file.arrayBuffer());
  const mono = new Float32Array(sound.length);
  for (let channel = 0; channel < sound.numberOfChannels; channel += 1) {
    const samples = sound.getChannelData(channel);
    for (let n = 0; n < mono.length; n += 1) mono[n] += samples[n] / sound.numberOfChannels;
  }
  return mono;
}

/** Converts samples to 16-bit little-endian. */
export function sixteenBits(samples) {
  const view = new DataView(new ArrayBuffer(2 * samples.length));
  samples.forEach((sample, n) => view.setInt16(2 * n, Math.max(-32768, Math.min(32767, Math.round(sample * 32768))), true));
  return view.buffer;
}

/** Converts 16-bit little-endian samples to numbers from -1 to 1. */
export function numbersOf(bytes) {
  const view = new DataView(bytes);
  return Array.from({ length: bytes.byteLength / 2 }, (_, n) => view.getInt16(2 * n, true) / 32768);
}

/** Makes a WAV file for the browser's own player. */
export function wavOf(samples, rate) {
  const view = new DataView(new ArrayBuffer(44));
  const put = (at, text) => [...text].forEach((letter, n) => view.setUint8(at + n, letter.charCodeAt(0)));
  const size = 2 * samples.length;
  put(0, "RIFF"); view.setUint32(4, 36 + size, true); put(8, "WAVEfmt ");
  view.setUint32(16, 16, true); view.setUint16(20, 1, true); view.setUint16(22, 1, true);
  view.setUint32(24, rate, true); view.setUint32(28, 2 * rate, true); view.setUint16(32, 2, true); view.setUint16(34, 16, true);
  put(36, "data"); view.setUint32(40, size, true);
  return new Blob([view.buffer, sixteenBits(samples)], { type: "audio/wav" });
}

/** The microphone, open until `stop`. */
export class Microphone {
  #stream;
  #context;

  /** onSamples(Float32Array): the next samples at `rate`. Rejects if access is denied or there is no microphone. */
  static async open(rate, onSamples) {
    const microphone = new Microphone();
    microphone.#stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1 } });
    try {
      microphone.#context = new AudioContext({ sampleRate: rate });
      await microphone.#context.audioWorklet.addModule("/page/recorder.js");
      const node = new AudioWorkletNode(microphone.#context, "recorder");
      node.port.onmessage = ({ data }) => onSamples(data);
      microphone.#context.createMediaStreamSource(microphone.#stream).connect(node);
    } catch (error) {
      microphone.stop();
      throw error;
    }
    return microphone;
  }

  stop() {
    for (const track of this.#stream.getTracks()) track.stop();
    this.#context?.close();
  }
}
