/* The structured page: <structured-run stream="id"> shows a run that is being written. Without this file, a link does. */

import { copyButtons } from "./copy.js";
import { fragment, say } from "./dom.js";
import { line } from "./socket.js";

class StructuredRun extends HTMLElement {
  after = 0;

  connectedCallback() {
    this.stream = this.getAttribute("stream");
    line.follow(this.stream, this);
  }

  disconnectedCallback() {
    line.leave(this.stream);
  }

  frame(frame) {
    const act = { s: "snapshot", x: "append", st: "show", a: "announce", end: "end" }[frame.t];
    if (act) this[act](frame);
    if (frame.q !== undefined) this.after = frame.q;
  }

  snapshot({ h }) {
    this.replaceChildren(fragment(h));
  }

  append({ i, x }) {
    this.#draft(i)?.querySelector("[data-raw]").append(x);
  }

  show({ i, h }) {
    const old = this.#draft(i);
    if (old) old.replaceWith(fragment(h));
    else this.querySelector("[data-drafts]").append(fragment(h));
  }

  announce({ x }) {
    say(x);
  }

  end({ tools }) {
    this.replaceChildren(fragment(tools));
    document.querySelector("[data-while-running]")?.remove();
    line.leave(this.stream);
  }

  #draft(key) {
    return this.querySelector(`[data-stop="${CSS.escape(key)}"]`);
  }
}

customElements.define("structured-run", StructuredRun);
copyButtons();

const lost = document.querySelector("[data-line]");
line.addEventListener("state", ({ detail }) => {
  if (!lost) return;
  const words = { lost: "Connection lost. The run goes on, reconnecting.", out: "You are signed out. Reload the page to sign in.", back: "" }[detail];
  lost.textContent = words;
  lost.hidden = !words;
});
