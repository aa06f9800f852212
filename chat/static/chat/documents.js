/* The document pages: answers stream, and what is being read says how far. Without this file the page reloads itself. */

import "./answer-stream.js";
import { copyButtons, countdowns } from "./copy.js";
import { say } from "./dom.js";
import { line } from "./socket.js";

const ASK_EVERY = 1000;
const ASK_TIMES = 300;

copyButtons();
countdowns();

document.addEventListener("answer-end", ({ target }) => target.closest(".reading")?.querySelector("[data-while-running]")?.remove());

const lost = document.querySelector("[data-line]");
line.addEventListener("state", ({ detail }) => {
  if (!lost) return;
  const words = { lost: "Connection lost. The answer goes on, reconnecting.", out: "You are signed out. Reload the page to sign in.", back: "" }[detail];
  lost.textContent = words;
  lost.hidden = !words;
});

/* The page is drawn anew when a document is read: then there is more to do with it. */
async function watch(badge) {
  for (let times = 0; times < ASK_TIMES; times += 1) {
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY));
    const answer = await fetch(`/api/v1/documents/${badge.dataset.reading}/`, { headers: { Accept: "application/json" } }).catch(() => null);
    if (!answer?.ok) continue;
    const found = await answer.json();
    if (!["uploaded", "processing"].includes(found.state)) {
      location.reload();
      return;
    }
    if (found.page_count && found.pages_read) badge.textContent = `Reading ${found.pages_read} of ${found.page_count}`;
  }
}

const first = document.querySelector("[data-reading]");
for (const badge of document.querySelectorAll("[data-reading]")) watch(badge);
if (first) say("Reading the document.");

const form = document.querySelector("[data-add-documents]");
form?.addEventListener("submit", () => {
  const button = form.querySelector("button");
  button.textContent = "Sending";
  button.setAttribute("aria-disabled", "true");
});
