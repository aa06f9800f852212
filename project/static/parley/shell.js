/* What every page does beside its HTML: says that script runs, and closes the drawer when focus leaves it. */

document.documentElement.dataset.script = "";

const side = document.getElementById("side");
side?.addEventListener("focusout", ({ relatedTarget }) => {
  if (relatedTarget && side.matches(":popover-open") && !side.contains(relatedTarget)) side.hidePopover();
});
