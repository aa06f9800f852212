/* Passkeys on every page that has a form[data-passkey]: "create" makes one, "use" proves one, "sign-in" lets a person in.
   The server's options come with the page (#passkey-options) or, for signing in, from the form's own address.
   The button arrives disabled: a press before this module listens would post the form without a passkey. */

import { decodeRequest, decodeCreation, encode } from "./webauthn.js";

const STATUS = {
  NotAllowedError: "", // the person closed the prompt or let it time out: nothing happened, nothing to say
  AbortError: "",
  InvalidStateError: "This device already has a passkey for you. Use it, or choose another device.",
  SecurityError: "Passkeys do not work at this address. Open Parley by the name it is set up for.",
  NotSupportedError: "This device cannot make a passkey that works here.",
};

const options = () => JSON.parse(document.getElementById("passkey-options").textContent);

async function fetchOptions(form) {
  const answer = await fetch(form.action, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new DOMException("no options", "NetworkError");
  return (await answer.json()).request_options;
}

function send(form, credential) {
  form.elements.credential.value = JSON.stringify(encode(credential));
  form.submit();
}

function say(form, error) {
  const line = form.querySelector("[data-passkey-status]");
  const known = STATUS[error.name];
  line.textContent = known === undefined ? "The passkey did not work. Try again." : known;
  line.hidden = !line.textContent;
}

let open; // what ends the prompt that is open, by a button or by autofill: a browser allows one at a time

function prompt() {
  open?.abort();
  open = new AbortController();
  return { signal: open.signal };
}

async function ceremony(form) {
  const kind = form.dataset.passkey;
  if (kind === "create") {
    return navigator.credentials.create({ ...decodeCreation(options().creation_options), ...prompt() });
  }
  const asked = kind === "use" ? options().request_options : await fetchOptions(form);
  return navigator.credentials.get({ ...decodeRequest(asked), ...prompt() });
}

async function offerByAutofill(form) {
  if (!(await window.PublicKeyCredential?.isConditionalMediationAvailable?.())) return;
  try {
    const request = decodeRequest(await fetchOptions(form));
    const chosen = await navigator.credentials.get({ ...request, ...prompt(), mediation: "conditional" });
    if (chosen) send(form, chosen);
  } catch (error) {
    if (!(error.name in STATUS)) say(form, error);
  }
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const button = form.querySelector("button[data-passkey-start]");
  if (!window.PublicKeyCredential) {
    say(form, { name: "NotSupportedError" });
    continue;
  }
  button.addEventListener("click", async (event) => {
    event.preventDefault();
    button.setAttribute("aria-busy", "true");
    try {
      send(form, await ceremony(form));
    } catch (error) {
      say(form, error);
    } finally {
      button.removeAttribute("aria-busy");
    }
  });
  button.disabled = false;
  if (form.dataset.passkey === "sign-in") offerByAutofill(form);
}
