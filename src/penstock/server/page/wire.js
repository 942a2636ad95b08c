// The client of the server: requests over HTTP, streams over WebSocket.

/** An error response: `type` and `message` from the server; `status` is 0 if it can't be reached. */
export class WireError extends Error {
  constructor(type, message, status = 0) {
    super(message);
    this.type = type;
    this.status = status;
  }

  /** Whether the error is temporary, so that a retry can succeed. */
  get passing() {
    return this.status === 0 || this.status === 429 || this.status === 503;
  }
}

/** The server of this page. Dispatches "closed" when a stream ends that the page did not close. */
export class Wire extends EventTarget {
  /** The bearer token, or null. */
  token = null;

  models() {
    return this.#ask("/v1/models").then(({ models }) => models);
  }

  model(name) {
    return this.#ask(path(name));
  }

  /** The predictions for whole inputs, in the same order. options: those of the model's task. */
  predict(name, inputs, options = {}) {
    return this.#ask(`${path(name)}/predict`, { inputs, options }).then(({ outputs }) => outputs);
  }

  /**
   * How much each part of one input contributed to the prediction: see `Attribution.to_json` in Python.
   * input: {inputs: [one]}, or a file as a Blob. asked: {target, at}, each may be null.
   */
  attribute(name, input, asked) {
    const query = new URLSearchParams(Object.entries(asked).filter(([, value]) => value !== null && value !== ""));
    return this.#ask(`${path(name)}/attribute?${query}`, input).then(({ attribution }) => attribution);
  }

  /** Opens a stream of a model. */
  stream(name) {
    const address = new URL(`${path(name)}/stream`, location.href);
    address.protocol = address.protocol.replace("http", "ws");
    const protocols = this.token === null ? [] : [`bearer.${this.token}`];
    return new Promise((resolve, reject) => {
      let socket;
      try {
        socket = new WebSocket(address, protocols);
      } catch {
        reject(new WireError("Unauthorized", "the token has characters that a browser can't send", 401));
        return;
      }
      const failed = (event) => reject(new WireError("Closed", event.reason || "the stream can't be opened"));
      socket.addEventListener("close", failed, { once: true });
      socket.addEventListener("open", () => {
        socket.removeEventListener("close", failed);
        resolve(new StreamSocket(socket, () => this.dispatchEvent(new Event("closed"))));
      });
    });
  }

  async #ask(address, body) {
    const headers = this.token === null ? {} : { Authorization: `Bearer ${this.token}` };
    const file = body instanceof Blob;
    const how = body === undefined ? { headers } : { method: "POST", headers: { ...headers, "Content-Type": file ? body.type : "application/json" }, body: file ? body : JSON.stringify(body) };
    let response;
    try {
      response = await fetch(address, how);
    } catch {
      throw new WireError("Unreachable", "the server can't be reached");
    }
    const answer = await response.json().catch(() => ({}));
    if (response.ok) return answer;
    throw new WireError(answer.error?.type ?? "Error", answer.error?.message ?? response.statusText, response.status);
  }
}

/** An open stream: the server responds to every message, in order. */
export class StreamSocket {
  #socket;
  #waiting = [];

  constructor(socket, onClosed) {
    this.#socket = socket;
    this.isOpen = true;
    socket.addEventListener("message", ({ data }) => this.#answered(JSON.parse(data)));
    socket.addEventListener("close", ({ reason }) => {
      if (this.isOpen) onClosed();
      this.isOpen = false;
      for (const { reject } of this.#waiting.splice(0)) reject(new WireError("Closed", reason || "the connection was closed"));
    });
  }

  /** Sends a message (an object as JSON, or an ArrayBuffer of samples) and resolves with the response. */
  ask(message) {
    if (!this.isOpen) return Promise.reject(new WireError("Closed", "the connection was closed"));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#socket.send(message instanceof ArrayBuffer ? message : JSON.stringify(message));
    });
  }

  /** Sends a message with several responses; calls `onEach` for each, and resolves with the last one, which has `done`. */
  several(message, onEach) {
    if (!this.isOpen) return Promise.reject(new WireError("Closed", "the connection was closed"));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject, onEach });
      this.#socket.send(JSON.stringify(message));
    });
  }

  close() {
    this.isOpen = false;
    this.#socket.close();
  }

  #answered(answer) {
    const { resolve, reject, onEach } = this.#waiting[0];
    if (onEach && !answer.done && !answer.error) {
      onEach(answer);
      return;
    }
    this.#waiting.shift();
    if (answer.error) reject(new WireError(answer.error.type, answer.error.message, 400));
    else resolve(answer);
  }
}

const path = (name) => `/v1/models/${encodeURIComponent(name)}`;
