/* Every page: the providers' marks follow their health, and the status page is drawn again when one changes. */

import { fragment } from "./dom.js";
import { line } from "./socket.js";

const page = document.querySelector("[data-status-page]");

function draw(mark, { state, text }) {
  mark.dataset.s = state;
  const words = mark.querySelector(".sr");
  if (words) words.textContent = text;
  else if (mark.textContent !== text) mark.replaceChildren(mark.querySelector("i"), text);
}

async function redraw() {
  const answer = await fetch(page.dataset.statusPage, { headers: { Accept: "text/html" } });
  if (!answer.ok || answer.redirected) return;
  const open = page.querySelector("details")?.open;
  page.replaceChildren(fragment(await answer.text()));
  page.querySelector("details")?.toggleAttribute("open", Boolean(open));
}

line.addEventListener("health", ({ detail }) => {
  const known = new Map(detail.providers.map((one) => [one.provider_id, one]));
  for (const mark of document.querySelectorAll("[data-provider-health]")) {
    const provider = mark.dataset.providerHealth;
    const now = provider ? known.get(provider) : detail.summary;
    // On the status page a mark says since when; it is drawn again as a whole.
    if (now && !page?.contains(mark)) draw(mark, now);
  }
  const marks = page ? [...page.querySelectorAll("[data-provider-health]")] : [];
  if (marks.some((mark) => known.get(mark.dataset.providerHealth)?.state !== mark.dataset.s)) redraw();
});

if (document.querySelector("[data-provider-health]")) line.watchHealth();
