/* One socket for the page: follows streams, watches a conversation, comes back after every loss. */

const FIRST_WAIT = 400;
const LONGEST_WAIT = 15000;
const PING = 25000;

class Line extends EventTarget {
  followers = new Map();
  watched = null;
  health = null;
  #socket = null;
  #tries = 0;
  #closed = false;

  /* `follower` has `after` (the last sequence it has) and `frame(frame)`. */
  follow(stream, follower) {
    this.followers.set(stream, follower);
    if (!this.#send({ t: "follow", stream, after: follower.after })) this.connect();
  }

  leave(stream) {
    this.followers.delete(stream);
  }

  /* `since` is when the newest message that the page knows was made. */
  watch(conversation, since) {
    this.watched = { t: "watch", conversation, since: since || null };
    if (!this.#send(this.watched)) this.connect();
  }

  /* Marks of the providers come as `health` events. */
  watchHealth() {
    this.health = { t: "watch_health" };
    if (!this.#send(this.health)) this.connect();
  }

  /* Returns whether it was sent; the caller has another way. */
  stop(stream) {
    return this.#send({ t: "stop", stream });
  }

  connect() {
    if (this.#socket || this.#closed) return;
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    this.#socket = new WebSocket(`${scheme}//${location.host}/ws/stream/`);
    this.#socket.addEventListener("open", () => this.#opened());
    this.#socket.addEventListener("message", (event) => this.#received(JSON.parse(event.data)));
    this.#socket.addEventListener("close", (event) => this.#lost(event.code));
  }

  #opened() {
    if (this.#tries) this.#tell("back");
    this.#tries = 0;
    if (this.watched) this.#send(this.watched);
    if (this.health) this.#send(this.health);
    for (const [stream, follower] of this.followers) this.#send({ t: "follow", stream, after: follower.after });
    this.pinging = setInterval(() => this.#send({ t: "ping" }), PING);
  }

  #received(frame) {
    if (frame.t === "turn") {
      this.watched.since = frame.at;
      this.dispatchEvent(new CustomEvent("turn", { detail: frame }));
    } else if (frame.t === "health" || frame.t === "title") {
      this.dispatchEvent(new CustomEvent(frame.t, { detail: frame }));
    } else if (frame.stream) {
      this.followers.get(frame.stream)?.frame(frame);
    }
  }

  #lost(code) {
    clearInterval(this.pinging);
    this.#socket = null;
    if (code === 4401) {
      this.#closed = true;
      this.#tell("out");
      return;
    }
    this.#tell("lost");
    const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** this.#tries) * (0.75 + Math.random() / 2);
    this.#tries += 1;
    setTimeout(() => this.connect(), wait);
  }

  #send(frame) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  #tell(state) {
    this.dispatchEvent(new CustomEvent("state", { detail: state }));
  }
}

export const line = new Line();
addEventListener("online", () => line.connect());
