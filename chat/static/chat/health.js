/* Every page: the providers' marks follow their health; the status page is drawn again when one of them or a credential
   changes, and the settings page says of both what is so now. */

import { fragment } from "./dom.js";
import { line } from "./socket.js";

const page = document.querySelector("[data-status-page]");
const panels = document.querySelector("[data-live-page]");
let version = document.querySelector("[data-credentials]")?.dataset.credentials;
let told = false;

function draw(mark, { state, text }) {
  mark.dataset.s = state;
  const words = mark.querySelector(".sr");
  if (words) words.textContent = text;
  else if (mark.textContent !== text) mark.replaceChildren(mark.querySelector("i"), text);
}

async function read(address) {
  const answer = await fetch(address, { headers: { Accept: "text/html" } });
  return answer.ok && !answer.redirected ? fragment(await answer.text()) : null;
}

async function redraw() {
  const now = await read(page.dataset.statusPage);
  if (!now) return;
  const open = page.querySelector("details")?.open;
  page.replaceChildren(now);
  page.querySelector("details")?.toggleAttribute("open", Boolean(open));
}

/* What somebody is entering stays: only the parts that say something are put in place. */
async function refresh() {
  const now = await read(panels.dataset.livePage);
  for (const part of now?.querySelectorAll("[data-live]") ?? []) {
    const old = document.getElementById(part.id);
    if (old && !old.isEqualNode(part)) old.replaceWith(part);
  }
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
  const changed = version !== undefined && version !== detail.credentials;
  version = detail.credentials;
  const stale = marks.some((mark) => known.get(mark.dataset.providerHealth)?.state !== mark.dataset.s);
  if (page && (changed || stale)) redraw();
  if (panels && (changed || told)) refresh();
  told = true;
});

if (document.querySelector("[data-provider-health]")) line.watchHealth();
