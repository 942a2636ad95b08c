// Follows a list of items along a stream. After an edit only what stands behind the last saved state before it is read again.

const AHEAD = 16; // messages on their way at once: enough to hide the way there, few enough to turn round soon

export class Follower {
  #open;
  #message;
  #every;
  #onChange;
  #stream = null;
  #saved = new Map(); // number of items -> the stream's state after them
  #target = [];
  #run = null;

  /**
   * open: () -> Promise of a StreamSocket. message(item): what to send for it. every: items between saved states.
   * onChange: called after each answer, and when answers are taken back.
   */
  constructor(open, { message = (item) => ({ push: item }), every = 16, onChange = () => {} } = {}) {
    this.#open = open;
    this.#message = message;
    this.#every = every;
    this.#onChange = onChange;
    /** What has been read, and for each of it {answer, trace}. */
    this.items = [];
    this.answers = [];
  }

  /** Whether everything asked for has been read. */
  get done() {
    return this.items.length === this.#target.length && this.#kept() === this.items.length;
  }

  /** Read these items; resolves when done, rejects with the WireError that stopped it. Call again to go on. */
  follow(items) {
    this.#target = items;
    this.#run ??= this.#catchUp().finally(() => (this.#run = null));
    return this.#run;
  }

  /** The answer before anything is read; for models that take "" as a piece of nothing. */
  async nothing() {
    const stream = await this.#open();
    try {
      return (await stream.ask({ push: "" })).answer;
    } finally {
      stream.close();
    }
  }

  /** The answer to all that was read as a whole. The next `follow` begins anew. */
  async finish() {
    const stream = this.#stream;
    try {
      return (await stream.ask({ finish: true })).answer;
    } finally {
      stream.close();
    }
  }

  close() {
    this.#stream?.close();
  }

  /** The last saved state at or before `position`: how many items it has read, and the state; null before any. */
  savedBefore(position) {
    const at = Math.max(0, ...[...this.#saved.keys()].filter((kept) => kept <= position));
    return { at, state: at ? this.#saved.get(at) : null };
  }

  /** What is sent for an item. */
  message(item) {
    return this.#message(item);
  }

  /** How many of these, from the first on, have been read: while it turns to them, other items may still stand here. */
  readOf(items) {
    let same = 0;
    while (same < this.items.length && same < items.length && this.items[same] === items[same]) same += 1;
    return same;
  }

  #kept() {
    return this.readOf(this.#target);
  }

  async #catchUp() {
    while (!this.done) {
      const kept = this.#kept();
      if (!this.#stream?.isOpen) {
        this.#stream = await this.#open();
        await this.#goBack(kept);
      } else if (kept < this.items.length) {
        await this.#goBack(kept);
      }
      await this.#read();
    }
  }

  /** The stream to the last saved state at or before `position`. */
  async #goBack(position) {
    const { at: from, state } = this.savedBefore(position);
    await this.#stream.ask(from ? { load: state } : { reset: true });
    for (const at of [...this.#saved.keys()]) if (at > from) this.#saved.delete(at);
    this.items.length = this.answers.length = from;
    this.#onChange();
  }

  /** Read on until the end, or until the target says otherwise. */
  async #read() {
    const target = this.#target;
    const stream = this.#stream;
    const onTheirWay = new Set();
    let failure = null;
    const fail = (error) => (failure ??= error);
    for (let next = this.items.length; next < target.length && target === this.#target && !failure; next += 1) {
      const asked = stream.ask(this.#message(target[next]));
      const taken = asked.then((answer) => {
        if (failure) return;
        this.items.push(target[next]);
        this.answers.push(answer);
        this.#onChange();
      });
      onTheirWay.add(this.#watch(taken, onTheirWay, fail));
      const number = next + 1;
      if (number % this.#every === 0) {
        const saved = stream.ask({ save: true }).then(({ state }) => failure ?? this.#saved.set(number, state));
        onTheirWay.add(this.#watch(saved, onTheirWay, fail));
      }
      while (onTheirWay.size >= AHEAD) await Promise.race(onTheirWay);
    }
    await Promise.all(onTheirWay);
    if (failure) {
      // What came after a refused item was read without it: the stream is not where we think it is.
      stream.close();
      throw failure;
    }
  }

  #watch(work, all, failed) {
    const watched = work.catch(failed).finally(() => all.delete(watched));
    return watched;
  }
}
