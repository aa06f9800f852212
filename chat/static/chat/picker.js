/* The model picker: a dialog around a form of radio buttons that works without this file's filter and shortcuts. */

import { say } from "./dom.js";
import { complain, post } from "./send.js";
import { toolsFor } from "./tools.js";

export class Picker {
  #asking = "";

  constructor(dialog) {
    this.dialog = dialog;
    this.form = dialog.querySelector("form");
    this.button = document.querySelector("[data-open-picker]");
    this.query = dialog.querySelector("input[type=search]");
    this.chips = [...dialog.querySelectorAll(".chip")];
    this.button?.addEventListener("click", () => this.open());
    this.query.addEventListener("input", () => this.#filter());
    for (const chip of this.chips) chip.addEventListener("click", () => this.#toggle(chip));
    dialog.addEventListener("keydown", (event) => this.#key(event));
    dialog.addEventListener("click", (event) => this.#click(event));
    dialog.addEventListener("close", () => this.button?.setAttribute("aria-expanded", "false"));
    this.form.addEventListener("submit", (event) => this.#choose(event));
    document.addEventListener("click", (event) => this.#asked(event));
  }

  /* `asking` names what is done with the choice at once ("answer:<id>"); empty: it is for the next message. Only models
     with the ability `able` are shown then, if one is named. */
  open(asking = "", able = "") {
    this.#asking = asking;
    this.query.value = "";
    for (const chip of able ? this.chips : []) chip.setAttribute("aria-pressed", String([able, "ready"].includes(chip.value)));
    this.#filter();
    this.dialog.showModal();
    this.button?.setAttribute("aria-expanded", "true");
    this.query.focus();
    this.dialog.querySelector(":checked")?.closest(".opt").scrollIntoView({ block: "nearest" });
  }

  #asked(event) {
    const asks = event.target.closest("[data-pick]");
    if (asks) this.open(asks.dataset.pick);
    const able = event.target.closest("[data-pick-able]");
    if (able) this.open("", able.dataset.pickAble);
  }

  #toggle(chip) {
    chip.setAttribute("aria-pressed", String(chip.getAttribute("aria-pressed") !== "true"));
    this.#filter();
  }

  #filter() {
    const words = this.query.value.toLowerCase().split(/\s+/).filter(Boolean);
    const needs = this.chips.filter((chip) => chip.getAttribute("aria-pressed") === "true").map((chip) => chip.value);
    let shown = 0;
    for (const option of this.form.querySelectorAll(".opt")) {
      const caps = option.dataset.caps.split(" ");
      const fits = words.every((word) => option.dataset.words.includes(word)) && needs.every((need) => caps.includes(need));
      option.hidden = !fits;
      shown += fits;
    }
    const filtered = words.length + needs.length > 0;
    for (const group of this.form.querySelectorAll(".group")) {
      group.hidden = filtered && !group.querySelector(".opt:not([hidden])");
    }
    this.dialog.querySelector("[data-none]").hidden = shown > 0 || !filtered;
  }

  #key(event) {
    if (event.key === "Enter" && !event.target.closest("a, button")) {
      event.preventDefault();
      if (!this.form.querySelector(".opt:not([hidden]) input:checked")) this.#move(1);
      this.form.requestSubmit();
    } else if (["ArrowDown", "ArrowUp"].includes(event.key)) {
      event.preventDefault();
      this.#move(event.key === "ArrowDown" ? 1 : -1);
    }
  }

  #move(step) {
    const radios = [...this.form.querySelectorAll(".opt:not([hidden]) input:enabled")];
    if (!radios.length) return;
    const at = radios.findIndex((radio) => radio.checked);
    const next = radios[(at + step + radios.length) % radios.length] ?? radios[0];
    next.checked = true;
    next.closest(".opt").scrollIntoView({ block: "nearest" });
    say(next.closest(".opt").querySelector("[data-label]").textContent);
  }

  #click(event) {
    if (event.target === this.dialog) this.dialog.close();
    else if (event.target.closest(".opt") && event.detail) requestAnimationFrame(() => this.#clicked(event));
  }

  #clicked(event) {
    if (event.target.closest(".opt").querySelector("input").checked) this.form.requestSubmit();
  }

  async #choose(event) {
    event.preventDefault();
    const radio = this.form.querySelector("input:checked");
    if (!radio) return;
    this.dialog.close();
    if (this.#asking) await this.#ask(radio.value);
    else await this.#set(radio);
  }

  async #ask(model) {
    const form = document.getElementById("again");
    form.elements.namedItem("model").value = model;
    form.elements.namedItem("asked").value = this.#asking;
    complain(await post(form));
    form.elements.namedItem("model").value = form.elements.namedItem("asked").value = "";
  }

  async #set(radio) {
    if (this.form.method === "post") complain(await post(this.form));
    for (const input of document.querySelectorAll("[data-model]")) input.value = radio.value;
    const option = radio.closest(".opt");
    const tile = this.button.querySelector(".tile");
    tile.dataset.p = option.dataset.provider;
    tile.textContent = option.dataset.letter;
    this.button.querySelector("[data-label]").textContent = option.querySelector("[data-label]").textContent;
    const health = this.button.querySelector(".health");
    if (health) {
      const mark = option.closest(".group").querySelector(".health");
      health.dataset.s = mark.dataset.s;
      health.dataset.providerHealth = mark.dataset.providerHealth;
      health.querySelector(".sr").textContent = mark.textContent;
    }
    document.dispatchEvent(new CustomEvent("model-chosen"));
    toolsFor(option.querySelector("[data-label]").textContent, option.dataset.caps.split(" "));
    say(`The next message goes to ${option.querySelector("[data-label]").textContent}.`);
    document.querySelector("textarea[name=text]")?.focus();
  }
}
