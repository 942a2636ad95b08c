// Streams a list of items. After an edit, only the items after the last saved state before it are read again.

const AHEAD = 16; // messages in flight: enough to hide the network latency, few enough to react quickly to an edit

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
   * open: () -> Promise of a StreamSocket. message(item): the message for an item. every: items between saved states.
   * onChange: called after each response, and when responses are discarded.
   */
  constructor(open, { message = (item) => ({ push: item }), every = 16, onChange = () => {} } = {}) {
    this.#open = open;
    this.#message = message;
    this.#every = every;
    this.#onChange = onChange;
    /** The items that were read, and {answer, trace} for each. */
    this.items = [];
    this.answers = [];
  }

  /** Whether all requested items have been read. */
  get done() {
    return this.items.length === this.#target.length && this.#kept() === this.items.length;
  }

  /** Read these items; resolves when done, rejects with the WireError that stopped it. Call it again to continue. */
  follow(items) {
    this.#target = items;
    this.#run ??= this.#catchUp().finally(() => (this.#run = null));
    return this.#run;
  }

  /** The prediction before any input; for models that accept "" as an empty piece. */
  async nothing() {
    const stream = await this.#open();
    try {
      return (await stream.ask({ push: "" })).answer;
    } finally {
      stream.close();
    }
  }

  /** The prediction for everything that was read. The next `follow` starts a new sequence. */
  async finish() {
    const stream = this.#stream;
    try {
      return (await stream.ask({ finish: true })).answer;
    } finally {
      stream.close();
    }
  }

  /** The state after everything that was read; null if nothing was. */
  async state() {
    return this.items.length ? (await this.#stream.ask({ save: true })).state : null;
  }

  close() {
    this.#stream?.close();
  }

  /** The last saved state at or before `position`: the number of items read, and the state; null if there is none. */
  savedBefore(position) {
    const at = Math.max(0, ...[...this.#saved.keys()].filter((kept) => kept <= position));
    return { at, state: at ? this.#saved.get(at) : null };
  }

  /** The message for an item. */
  message(item) {
    return this.#message(item);
  }

  /** How many of these items, from the start, were read; `items` may still hold older items while it catches up. */
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

  /** Return the stream to the last saved state at or before `position`. */
  async #goBack(position) {
    const { at: from, state } = this.savedBefore(position);
    await this.#stream.ask(from ? { load: state } : { reset: true });
    for (const at of [...this.#saved.keys()]) if (at > from) this.#saved.delete(at);
    this.items.length = this.answers.length = from;
    this.#onChange();
  }

  /** Read until the end, or until the target changes. */
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
      // The server read the items after a rejected one without it, so the state of the stream is wrong.
      stream.close();
      throw failure;
    }
  }

  #watch(work, all, failed) {
    const watched = work.catch(failed).finally(() => all.delete(watched));
    return watched;
  }
}
