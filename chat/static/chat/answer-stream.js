/* <answer-stream stream="id" after="sequence">: an answer that is being written. Applies the server's frames.
   Inside of [data-nested] it is a part of something else: what waits for the page's answer does not wait for it. */

import { fragment, prose, say } from "./dom.js";
import { line } from "./socket.js";
import { Tail } from "./tail.js";

class AnswerStream extends HTMLElement {
  #tails = new Map();
  #counting = null;

  connectedCallback() {
    this.stream = this.getAttribute("stream");
    this.after = Number(this.getAttribute("after"));
    this.#adopt();
    if (this.ended) return;
    line.follow(this.stream, this);
    this.#counting = setInterval(() => this.#count(), 1000);
    this.nested = this.closest("[data-nested]");
    if (!this.nested) this.dispatchEvent(new CustomEvent("answer-start", { bubbles: true, detail: this }));
  }

  /* Drawn again somewhere else, it goes on from here. */
  disconnectedCallback() {
    clearInterval(this.#counting);
    this.setAttribute("after", this.after);
    line.leave(this.stream);
  }

  frame(frame) {
    const act = { s: "snapshot", c: "commit", x: "append", st: "show", er: "show", a: "announce", end: "end" }[frame.t];
    if (act) this[act](frame);
    if (frame.q !== undefined) this.after = frame.q;
  }

  snapshot({ h }) {
    this.replaceChildren(fragment(h));
    this.#adopt();
  }

  commit({ i, h, x, d }) {
    const tail = this.#tails.get(i);
    if (!tail) return;
    tail.element.before(prose(h));
    if (d) this.#finish(i, tail);
    else tail.reset(x);
  }

  append({ i, x }) {
    const tail = this.#tails.get(i);
    if (tail) tail.write(x);
    else this.#stop(i)?.querySelector("[data-raw]")?.append(x);
  }

  show({ i, h, b }) {
    const old = this.#stop(i);
    const fresh = fragment(h).firstElementChild;
    if (old && fresh) {
      const open = old.querySelector("details")?.open;
      for (const kept of old.querySelectorAll("answer-stream")) {
        fresh.querySelector(`answer-stream[stream="${CSS.escape(kept.stream)}"]`)?.replaceWith(kept);
      }
      old.replaceWith(fresh);
      if (open) fresh.querySelector("details").open = true;
    } else if (old) {
      old.remove();
    } else if (fresh) {
      this.querySelector(".route").insertBefore(fresh, b ? this.#stop(b) : null);
    }
    this.#adopt();
  }

  announce({ x }) {
    if (!this.parentElement.closest("answer-stream")) say(x);
  }

  end({ by, tools, state }) {
    for (const [i, tail] of this.#tails) this.#finish(i, tail);
    this.querySelector(":scope > .route > .stop > .stack > .by")?.replaceWith(fragment(by));
    this.ended = true;
    const place = this.nested ?? this.closest(".turn");
    place.querySelector("[data-tools]")?.replaceChildren(fragment(tools));
    line.leave(this.stream);
    clearInterval(this.#counting);
    if (this.nested) return;
    place.removeAttribute("aria-busy");
    this.dispatchEvent(new CustomEvent("answer-end", { bubbles: true, detail: { stream: this.stream, state } }));
  }

  #stop(key) {
    return this.querySelector(`:scope > .route > [data-stop="${CSS.escape(key)}"]`);
  }

  /* Take over the open ends that the server drew. */
  #adopt() {
    for (const [key, tail] of this.#tails) if (!tail.element.isConnected) this.#tails.delete(key);
    for (const element of this.querySelectorAll(":scope > .route > .stop > .stack > .prose > .tail")) {
      const key = element.closest("[data-stop]").dataset.stop;
      if (!this.#tails.has(key)) this.#tails.set(key, new Tail(element));
    }
  }

  #finish(key, tail) {
    tail.element.remove();
    this.#tails.delete(key);
    this.#stop(key)?.classList.remove("stop--live");
  }

  #count() {
    for (const words of this.querySelectorAll(":scope > .route > .stop [data-seconds]")) {
      if (words.closest("answer-stream") !== this) continue;
      words.dataset.seconds = Number(words.dataset.seconds || 0) + 1;
      words.textContent = `Reasoning, ${words.dataset.seconds} s`;
    }
  }
}

customElements.define("answer-stream", AnswerStream);
