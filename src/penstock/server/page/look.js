// Gates and states of a model that reads steps or samples: the steps before the selected item.

import { calm } from "./elements.js";
import { Inside, OF_STEPS } from "./inside.js";
import { WireError } from "./wire.js";

const MOST = 100; // the most items whose steps are shown
const AHEAD = 16; // messages in flight
const STILL_MOVING = 300; // milliseconds without a change until a selection counts

export class Look {
  #app;
  #inside;
  #traced;
  #nameOf;
  #onPick;
  #items = []; // the item of each shown step; null if a step belongs to no single item
  #asked = 0; // counts requests, so that a late response is ignored

  /**
   * app: see main.js. traced(item): the message that reads an item with a trace. nameOf(item): the label of its column,
   * given its index. onPick(item): the user selected a step of this item.
   */
  constructor(app, { traced, nameOf, onPick }) {
    this.#app = app;
    this.#traced = traced;
    this.#nameOf = nameOf;
    this.#onPick = onPick;
    this.#inside = new Inside({ say: OF_STEPS, onPick: (step) => this.#items[step] !== null && this.#onPick(this.#items[step]) });
    this.node = this.#inside.node;
    this.#inside.set([]);
  }

  refresh() {
    this.#inside.refresh();
  }

  /** Show the steps before item `at` that `follower` has read; -1 for none. Runs when the user pauses. */
  show = calm((follower, at) => {
    const asked = (this.#asked += 1);
    if (at < 0) {
      this.#set([], []);
      return;
    }
    this.#app.working(async () => {
      const found = await this.#read(follower, at);
      if (asked === this.#asked) this.#set(found.steps, found.items);
    });
  }, STILL_MOVING);

  #set(steps, items) {
    this.#items = items;
    this.#inside.set(steps);
    if (steps.length) this.#inside.point(steps.length - 1);
  }

  async #read(follower, at) {
    const stream = await this.#app.wire.stream(this.#app.name);
    try {
      const [last] = await this.#trace(stream, follower, at, at);
      if (!last) return { steps: [], items: [] }; // the input was edited meanwhile, and is read anew
      // A model that recomputes each window returns all steps of the window with one item.
      if (this.#app.info.reads === "step" && last.length > 1) {
        const steps = last.map((layers, n) => ({ name: String(n - last.length + 1).replace("-", "−"), layers }));
        return { steps, items: steps.map(() => null) };
      }
      const first = Math.max(0, at - MOST + 1);
      const traces = await this.#trace(stream, follower, first, at);
      const steps = traces.flatMap((trace, n) => trace.map((layers) => ({ name: this.#nameOf(first + n), layers })));
      return { steps, items: traces.flatMap((trace, n) => trace.map(() => first + n)) };
    } catch (error) {
      // Networks that read each window in both directions have no steps to show.
      if (!(error instanceof WireError) || error.status !== 400) throw error;
      this.node.hidden = true;
      return { steps: [], items: [] };
    } finally {
      stream.close();
    }
  }

  /** The traces of the items from `first` to `last`. */
  async #trace(stream, follower, first, last) {
    const items = follower.items.slice(0, last + 1);
    const { at, state } = follower.savedBefore(first);
    await stream.ask(state === null ? { reset: true } : { load: state });
    const traces = [];
    for (let start = at; start <= last; start += AHEAD) {
      const asked = items.slice(start, start + AHEAD).map((item, n) => stream.ask(start + n < first ? follower.message(item) : this.#traced(item)));
      for (const { trace } of await Promise.all(asked)) if (trace) traces.push(trace);
    }
    return traces;
  }
}
