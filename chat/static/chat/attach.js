/* Files of the message box: chosen, dropped or pasted, sent to the server at once, asked for until they are read. */

import { say } from "./dom.js";

const API = "/api/v1/attachments/";
const MOST = 10;
const ASK_EVERY = 1000;
const ASK_TIMES = 300;
const UNITS = ["bytes", "KB", "MB"];

function shownSize(size) {
  const step = size < 1024 ? 0 : size < 1024 ** 2 ? 1 : 2;
  return `${step ? (size / 1024 ** step).toFixed(1) : size} ${UNITS[step]}`;
}

function progress({ pages_read: read, page_count: all }) {
  return all && read ? `Reading ${read} of ${all}` : "Reading";
}

/* Says `change` when a file is added, removed, read or refused. `held` is why the message cannot go yet. */
export class Files extends EventTarget {
  constructor(form, complain) {
    super();
    this.form = form;
    this.complain = complain;
    this.list = form.querySelector("[data-files]");
    this.blank = document.querySelector("[data-file-template]").content.firstElementChild;
    this.#chooser(form.querySelector("[data-attach]"));
    this.#drops();
    form.elements.namedItem("text").addEventListener("paste", (event) => this.#pasted(event));
    this.list.addEventListener("click", (event) => this.#removed(event));
    document.addEventListener("model-chosen", () => this.#look());
    for (const item of this.list.children) if (["uploaded", "processing"].includes(item.dataset.state)) this.#ask(item);
    this.#changed();
  }

  get items() {
    return [...this.list.children];
  }

  get waiting() {
    return this.items.some((item) => ["sending", "uploaded", "processing"].includes(item.dataset.state));
  }

  get failed() {
    return this.items.find((item) => item.dataset.state === "failed");
  }

  clear() {
    this.list.replaceChildren();
    this.#changed();
  }

  add(files) {
    for (const file of files) {
      if (this.items.length >= MOST) {
        this.complain({ title: "These are too many files.", detail: `A message may carry ${MOST} files.` });
        return;
      }
      this.#send(file);
    }
  }

  // ------------------------------------------------------------ in
  #chooser(button) {
    const input = Object.assign(document.createElement("input"), { type: "file", multiple: true, hidden: true });
    input.addEventListener("change", () => {
      this.add(input.files);
      input.value = "";
    });
    button.after(input);
    button.addEventListener("click", () => input.click());
  }

  #drops() {
    const carries = (event) => event.dataTransfer?.types.includes("Files");
    const mark = (on) => this.form.classList.toggle("composer--drop", on);
    document.addEventListener("dragover", (event) => {
      if (!carries(event)) return;
      event.preventDefault();
      mark(true);
    });
    document.addEventListener("dragleave", (event) => {
      if (!event.relatedTarget) mark(false);
    });
    document.addEventListener("drop", (event) => {
      if (!carries(event)) return;
      event.preventDefault();
      mark(false);
      this.add(event.dataTransfer.files);
    });
  }

  #pasted(event) {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length) return;
    event.preventDefault();
    this.add(files);
  }

  // ------------------------------------------------------------ to the server
  async #send(file) {
    const item = this.blank.cloneNode(true);
    item.querySelector("b").textContent = file.name || "Pasted picture";
    item.dataset.kind = file.type.startsWith("image/") ? "image" : "";
    this.#show(item, "sending", "Sending");
    this.list.append(item);
    this.#changed();
    const body = new FormData();
    body.set("file", file, file.name || "picture.png");
    if (this.form.dataset.conversation) body.set("conversation", this.form.dataset.conversation);
    const made = await this.#call(API, { method: "POST", body });
    if (!item.isConnected) {
      if (made.id) this.#call(`${API}${made.id}/`, { method: "DELETE" });
      return;
    }
    if (!made.id) {
      this.#show(item, "failed", `${made.title} ${made.detail ?? ""}`);
      this.#changed();
      return;
    }
    item.dataset.file = made.id;
    this.#told(item, made);
    this.#ask(item);
  }

  async #call(address, options) {
    const headers = { Accept: "application/json", "X-CSRFToken": this.form.elements.namedItem("csrfmiddlewaretoken").value };
    try {
      const answer = await fetch(address, { ...options, headers });
      return answer.status === 204 ? {} : await answer.json();
    } catch {
      return { title: "There is no connection.", detail: "Remove the file and attach it again." };
    }
  }

  async #ask(item) {
    for (let times = 0; times < ASK_TIMES && item.isConnected; times += 1) {
      await new Promise((resolve) => setTimeout(resolve, times ? ASK_EVERY : ASK_EVERY / 4));
      const found = await this.#call(`${API}${item.dataset.file}/`, {});
      if (found.id) this.#told(item, found);
      else if (found.code === "not_found") item.remove();
      if (!["uploaded", "processing"].includes(item.dataset.state)) return;
    }
    if (item.isConnected) this.#show(item, "failed", "Reading it takes too long. Remove it and attach it again.");
    this.#changed();
  }

  #told(item, found) {
    const before = item.dataset.state;
    const note = { ready: shownSize(found.size), failed: found.error?.message }[found.state] ?? progress(found);
    item.dataset.kind = found.kind;
    item.querySelector("use").setAttribute("href", found.kind === "image" ? "#i-eye" : "#i-doc");
    item.querySelector("b").textContent = found.filename;
    this.#show(item, found.state, note);
    if (before !== found.state) {
      if (found.state === "ready") say(`${found.filename} is attached.`);
      if (found.state === "failed") say(`${found.filename} cannot be read. ${note}`);
      this.#changed();
    }
  }

  async #removed(event) {
    const item = event.target.closest(".x")?.closest("[data-file]");
    if (!item) return;
    event.preventDefault();
    const id = item.dataset.file;
    item.remove();
    this.complain(null);
    this.#changed();
    this.form.elements.namedItem("text").focus();
    // A file that another version of the message carries stays.
    if (id && !this.form.elements.namedItem("edits").value) await this.#call(`${API}${id}/`, { method: "DELETE" });
  }

  // ------------------------------------------------------------ what is seen
  #show(item, state, note) {
    item.dataset.state = state;
    item.classList.toggle("file--bad", state === "failed");
    item.querySelector("[data-note]").textContent = note;
    item.querySelector(".x").setAttribute("aria-label", `Remove ${item.querySelector("b").textContent}`);
    const field = item.querySelector("input");
    if (field) {
      field.disabled = state === "failed" || !item.dataset.file;
      field.value = item.dataset.file;
    }
  }

  #changed() {
    this.list.hidden = !this.list.children.length;
    this.#look();
    this.dispatchEvent(new Event("change"));
  }

  /* Pictures turn amber when the chosen model is not known to see them. */
  #look() {
    const option = document.querySelector("#picker .opt input:checked")?.closest(".opt");
    const blind = Boolean(option) && !option.dataset.caps.split(" ").includes("vision");
    const pictures = this.items.filter((item) => item.dataset.kind === "image" && item.dataset.state !== "failed");
    for (const item of this.items) item.classList.toggle("file--warn", blind && pictures.includes(item));
    const line = document.querySelector("[data-blind]");
    line.hidden = !(blind && pictures.length);
    if (!line.hidden) {
      const name = option.querySelector("[data-label]").textContent;
      line.querySelector("[data-blind-words]").textContent = `${name} is not known to see pictures.`;
    }
  }
}
