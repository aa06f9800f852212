/* Shortcuts. Single keys work outside fields only. */

const inField = (target) => target.closest?.("input, textarea, select, [contenteditable]");

export function shortcuts({ composer, picker, help }) {
  document.addEventListener("keydown", (event) => {
    const command = event.ctrlKey || event.metaKey;
    if (command && !event.shiftKey && event.key.toLowerCase() === "k" && picker) {
      event.preventDefault();
      if (!picker.dialog.open) picker.open();
    } else if (command && event.shiftKey && event.key.toLowerCase() === "o") {
      event.preventDefault();
      document.querySelector("[data-key=new-chat]")?.click();
    } else if (event.key === "Escape" && composer?.running && !document.querySelector("dialog[open], :popover-open")) {
      composer.stop();
    } else if (command || event.altKey || inField(event.target) || document.querySelector("dialog[open]")) {
      return;
    } else if (event.key === "/") {
      event.preventDefault();
      document.querySelector("[data-key=search]")?.focus();
    } else if (event.key === "?") {
      help?.showModal();
    }
  });
}
