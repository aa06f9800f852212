/* How full the model's window is, and the limits that are near: asked again when an answer ends or another model is
chosen. */

import { fragment } from "./dom.js";

async function draw(conversation) {
  const model = document.querySelector("#picker input[name=model]:checked")?.value ?? "";
  const answer = await fetch(`/c/${conversation}/ring/?model=${encodeURIComponent(model)}`, { headers: { Accept: "text/html" } }).catch(() => null);
  if (!answer?.ok || answer.redirected) return;
  const parts = fragment(await answer.text());
  for (const name of ["[data-ctx]", "[data-limits]"]) {
    const part = parts.querySelector(name);
    if (part) document.querySelector(name)?.replaceWith(part);
  }
}

export function ring(conversation) {
  if (!conversation) return;
  document.addEventListener("answer-end", () => draw(conversation));
  document.addEventListener("model-chosen", () => draw(conversation));
}
