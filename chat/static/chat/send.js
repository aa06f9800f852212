/* Posts the page's forms without leaving it, and puts the turns that come back where they belong. */

import { fragment, say } from "./dom.js";
import { line } from "./socket.js";

/* A form without an address of its own posts to the page: the property `action` would name a control. */
export async function post(form, submitter) {
  const body = new FormData(form, submitter);
  let answer;
  try {
    answer = await fetch(form.getAttribute("action"), { method: "POST", body, headers: { Accept: "application/json" } });
  } catch {
    return { title: "There is no connection.", detail: "Your message is kept here. Send it again." };
  }
  const key = form.elements.namedItem("key");
  if (key) key.value = freshKey();
  if (answer.status === 204) return null;
  const said = await answer.json().catch(() => ({ title: "The server did not answer as expected.", detail: "" }));
  return answer.ok ? accepted(said) : said;
}

function accepted({ url, parent, html }) {
  if (html && place(parent, html)) return null;
  location.assign(url);
  return null;
}

/* Put turns after the one they follow; what stood there belongs to another branch now. */
export function place(parent, html) {
  const thread = document.querySelector("[data-thread]");
  const before = parent && thread?.querySelector(`[data-message="${CSS.escape(parent)}"]`);
  if (!before) return false;
  const turns = fragment(html);
  const first = turns.querySelector("[data-message]");
  if (thread.querySelector(`[data-message="${CSS.escape(first.dataset.message)}"]`)) return true;
  while (before.nextElementSibling) before.nextElementSibling.remove();
  thread.append(turns);
  return true;
}

export function freshKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function complain(problem) {
  const place = document.querySelector("[data-problem]");
  if (!place) return;
  place.hidden = !problem;
  place.querySelector("strong").textContent = problem?.title ?? "";
  place.querySelector("span").textContent = problem?.detail ?? "";
}

line.addEventListener("turn", ({ detail }) => {
  if (place(detail.parent, detail.html)) say("A message was sent from another window.");
});
