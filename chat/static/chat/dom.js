/* The one place where HTML from the server becomes nodes. */

const policy = globalThis.trustedTypes?.createPolicy("parley", { createHTML: (html) => html });

/* Elements and attributes of rendered answers; the server has already removed everything else. */
const ALLOWED = {
  elements: ["p", "br", "hr", "em", "strong", "s", "blockquote", "h3", "h4", "h5", "h6", "ul", "ol", "li", "a", "figure",
    "figcaption", "button", "pre", "code", "span", "div", "table", "thead", "tbody", "tr", "th", "td"],
  attributes: ["class", "href", "title", "rel", "start", "type", "tabindex", "role", "aria-label"],
};

let sanitizer;

function checked(html) {
  const box = document.createElement("div");
  sanitizer ??= new Sanitizer(ALLOWED);
  box.setHTML(html, { sanitizer });
  const part = document.createDocumentFragment();
  part.append(...box.childNodes);
  return part;
}

/* A turn or a stop: the page's own controls and icons among it. */
export function fragment(html) {
  const template = document.createElement("template");
  template.innerHTML = policy ? policy.createHTML(html) : html;
  return template.content;
}

/* Text of an answer, through the browser's own sanitizer where there is one. Formulas are left to the server's. */
export function prose(html) {
  return Element.prototype.setHTML && globalThis.Sanitizer && !html.includes("<math") ? checked(html) : fragment(html);
}

export function say(words) {
  const line = document.querySelector("[data-status]");
  if (line) line.textContent = words;
}
