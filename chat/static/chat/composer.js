/* The message box: Enter sends, a draft survives a reload, what is written during an answer is sent when it ends. */

import { Files } from "./attach.js";
import { complain, post } from "./send.js";
import { line } from "./socket.js";

export class Composer {
  #running = null;
  #queued = false;

  constructor(form) {
    this.form = form;
    this.text = form.elements.namedItem("text");
    this.files = new Files(form, complain);
    this.files.addEventListener("change", () => this.#goOn());
    this.draft = `draft:${form.dataset.conversation || "new"}`;
    this.text.value ||= localStorage.getItem(this.draft) ?? "";
    this.text.addEventListener("input", () => this.#typed());
    this.text.addEventListener("keydown", (event) => this.#key(event));
    form.addEventListener("submit", (event) => this.#submit(event));
    document.addEventListener("answer-start", ({ detail }) => this.#state(detail.stream));
    document.addEventListener("answer-end", () => this.#state(null));
    document.querySelector("[data-stop-answer]")?.addEventListener("click", (event) => this.stop(event));
    // An answer that the page came with has begun before anybody listened.
    const open = document.querySelector("[aria-busy] answer-stream");
    if (open) this.#state(open.getAttribute("stream"));
    this.#typed();
  }

  get running() {
    return this.#running;
  }

  stop(event) {
    if (this.#running && line.stop(this.#running)) event?.preventDefault();
  }

  begin(text) {
    this.text.value = text;
    this.text.focus();
    this.#typed();
  }

  #typed() {
    if (!CSS.supports("field-sizing", "content")) {
      this.text.style.height = "auto";
      this.text.style.height = `${this.text.scrollHeight}px`;
    }
    if (this.text.value) localStorage.setItem(this.draft, this.text.value);
    else localStorage.removeItem(this.draft);
    this.#wait(this.#queued && this.#something);
  }

  get #something() {
    return this.text.value.trim() !== "" || this.files.items.length > 0;
  }

  #key(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    if (this.#something) this.form.requestSubmit();
  }

  async #submit(event) {
    event.preventDefault();
    if (!this.#something || this.form.inert) return;
    if (this.files.failed) {
      const name = this.files.failed.querySelector("b").textContent;
      complain({ title: `“${name}” cannot be read.`, detail: "Remove it to send the message without it." });
      return;
    }
    if (this.#running || this.files.waiting) {
      this.#wait(true);
      return;
    }
    const said = this.text.value;
    this.form.setAttribute("aria-busy", "true");
    const problem = await post(this.form);
    this.form.removeAttribute("aria-busy");
    complain(problem);
    if (problem) return;
    if (this.text.value === said) this.text.value = "";
    this.files.clear();
    for (const name of ["parent", "edits"]) this.form.elements.namedItem(name).value = "";
    this.#typed();
    this.text.focus();
  }

  #wait(queued) {
    this.#queued = queued;
    const note = document.querySelector("[data-queued]");
    if (!note) return;
    note.hidden = !queued;
    note.textContent = this.#running
      ? "Your message is sent when this answer ends."
      : "Your message is sent when its files are read.";
  }

  /* What waited for an answer or a file goes as soon as neither is in the way. */
  #goOn() {
    if (!this.#queued || this.#running || this.files.waiting) return;
    this.#wait(false);
    this.form.requestSubmit();
  }

  #state(stream) {
    this.#running = stream;
    const [send, stop] = [document.querySelector("[data-send]"), document.querySelector("[data-stop-answer]")];
    send.hidden = Boolean(stream);
    stop.hidden = !stream;
    this.text.placeholder = stream ? this.text.dataset.busy : this.text.dataset.idle;
    if (stream) stop.value = `stop:${stream}`;
    else this.#goOn();
  }
}
