/* Every page: the providers' marks follow their health, and the status page is drawn again when one changes. */

import { fragment } from "./dom.js";
import { line } from "./socket.js";

const page = document.querySelector("[data-status-page]");
let shown = null;

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
  const drawn = JSON.stringify(detail.providers);
  // The first frame may already be newer than the page.
  if (page && shown !== drawn) redraw();
  shown = drawn;
});

if (document.querySelector("[data-provider-health]")) line.watchHealth();
