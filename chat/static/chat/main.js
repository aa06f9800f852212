/* The conversation page: wires what its HTML offers. Without this file the page still sends and reads. */

import "./answer-stream.js";
import { Composer } from "./composer.js";
import { copyButtons, countdowns } from "./copy.js";
import { say } from "./dom.js";
import { shortcuts } from "./keys.js";
import { Picker } from "./picker.js";
import { followScroll } from "./scroll.js";
import { ring } from "./ring.js";
import { complain, post } from "./send.js";
import { line } from "./socket.js";

const form = document.getElementById("composer");
const dialog = document.getElementById("picker");
const composer = form && new Composer(form);
const picker = dialog && new Picker(dialog);
const scroller = document.querySelector("[data-scroller]");
if (scroller) followScroll(scroller, document.querySelector("[data-to-end]"));
shortcuts({ composer, picker, help: document.getElementById("shortcuts") });
copyButtons();
countdowns();

const again = document.getElementById("again");
again?.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (event.submitter?.value.startsWith("stop:") && line.stop(event.submitter.value.slice(5))) return;
  complain(await post(again, event.submitter));
});

const conversation = form?.dataset.conversation;
if (conversation) line.watch(conversation, form.dataset.since);

ring(conversation);

/* Who answers is stored at once, so that regenerating follows it too. */
for (const choice of form?.querySelectorAll("input[name=context]") ?? []) {
  choice.addEventListener("change", () => {
    if (conversation) fetch(`/c/${conversation}/context/`, { method: "POST", body: new FormData(form), headers: { Accept: "application/json" } });
  });
}

const lost = document.querySelector("[data-line]");
line.addEventListener("state", ({ detail }) => {
  const words = {
    lost: "Connection lost. The answer goes on, reconnecting.",
    out: "You are signed out. Reload the page to sign in.",
    back: "Reconnected",
  }[detail];
  lost.textContent = words;
  lost.hidden = false;
  say(words);
  if (detail === "back") setTimeout(() => { lost.hidden = lost.textContent === words; }, 2000);
});

/* A title was written, or changed in another window. */
line.addEventListener("title", ({ detail: { x } }) => {
  if (!x) return;
  for (const place of document.querySelectorAll("h1.bar__title, .conv[aria-current] > span:first-child")) place.textContent = x;
  document.title = `${x} · Parley`;
  const field = document.getElementById("title");
  if (field && field !== document.activeElement) field.value = x;
});

document.addEventListener("answer-end", () => {
  document.querySelector(".conv[aria-current] .badge")?.remove();
});

for (const start of document.querySelectorAll("[data-start]")) {
  start.addEventListener("click", () => composer.begin(start.dataset.start));
}

for (const opener of document.querySelectorAll("[data-show]")) {
  opener.addEventListener("click", () => document.getElementById(opener.dataset.show).showModal());
}
