/* Copy buttons, countdowns and local times of a conversation. */

const SOURCES = {
  answer: (button) => [...button.closest(".turn").querySelectorAll(".route .stack > .prose")].map((part) => part.innerText).join("\n\n"),
  summary: (button) => [...button.closest(".summary").querySelectorAll(".route .stack > .prose")].map((part) => part.innerText).join("\n\n"),
  said: (button) => button.closest(".turn").querySelector(".said").innerText,
  line: (button) => [...button.parentElement.children].filter((part) => part !== button).map((part) => part.textContent).join(" "),
};

async function copy(button, text) {
  await navigator.clipboard.writeText(text);
  const label = [...button.childNodes].find((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
  if (!label || button.dataset.copied) return;
  const words = label.data;
  label.data = "Copied";
  button.dataset.copied = "";
  setTimeout(() => {
    label.data = words;
    delete button.dataset.copied;
  }, 2000);
}

export function copyButtons() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy], .code figcaption .tool-btn");
    if (!button) return;
    const source = SOURCES[button.dataset.copy];
    copy(button, source ? source(button) : button.closest("figure").querySelector("pre").innerText);
  });
}

export function countdowns() {
  setInterval(() => {
    for (const button of document.querySelectorAll("[data-wait-until]")) {
      const left = Math.ceil(Number(button.dataset.waitUntil) - Date.now() / 1000);
      button.textContent = left > 0 ? `Try again in ${left} s` : "Try again";
      button.classList.toggle("btn--primary", left <= 0);
      if (left <= 0) button.removeAttribute("data-wait-until");
    }
  }, 1000);
}
