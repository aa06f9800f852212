/* The tools menu: how many are chosen, and whether the model takes any. The choice itself travels with the message. */

const menu = document.getElementById("tools-menu");
const count = document.querySelector("[data-tools-count]");

menu?.addEventListener("change", () => { count.textContent = menu.querySelectorAll("[name=tools]:checked").length; });

export function toolsFor(label, abilities) {
  const note = menu?.querySelector("[data-tools-note]");
  if (!note) return;
  note.querySelector("[data-label]").textContent = label;
  note.hidden = abilities.includes("tools");
}
