/* Buttons that copy the text of another element: <button data-copy="id of the element">. */

for (const button of document.querySelectorAll("button[data-copy]")) {
  const label = button.querySelector("[data-copy-label]");
  const rest = label.textContent;
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(source.innerText.trim());
      label.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(source); // no permission for the clipboard: one key press is left to the person
      label.textContent = "Selected";
    }
    setTimeout(() => (label.textContent = rest), 2000);
  });
}
