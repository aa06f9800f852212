/* A page of the console that grows while something runs: its part is fetched again until it says that it is over. */

import { fragment } from "../chat/dom.js";

const EVERY = 1000;
const part = document.querySelector("[data-live-part]");
const words = document.querySelector("[data-live-words]");

function say(text) {
  if (words && words.textContent !== text) words.textContent = text;
}

async function refresh() {
  try {
    const answer = await fetch(part.dataset.livePart, { headers: { Accept: "text/html" } });
    if (answer.redirected || answer.status === 403) return location.reload();
    if (answer.ok) part.replaceChildren(fragment(await answer.text()));
  } catch {
    // The network is away for a moment; the next round asks again.
  }
  if (!part.querySelector("[data-running]")) return location.reload();
  say(part.querySelector("[data-now]")?.lastChild.textContent ?? "");
  setTimeout(refresh, EVERY);
}

if (part) setTimeout(refresh, EVERY);
