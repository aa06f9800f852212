/* The block that is still being written, drawn optimistically; the server's rendering replaces it when it is finished. */

import * as smd from "../parley/vendor/streaming-markdown/0.2.15/smd.min.js";

const HEADINGS = [smd.HEADING_1, smd.HEADING_2, smd.HEADING_3, smd.HEADING_4, smd.HEADING_5, smd.HEADING_6];

/* What is drawn for what was read: no picture, no control, and headings below the page's own. */
function shown(type) {
  if (type === smd.IMAGE || type === smd.CHECKBOX) return smd.ITALIC_AST;
  return HEADINGS.includes(type) ? smd.HEADING_3 : type;
}

function renderer(root) {
  const drawn = smd.default_renderer(root);
  const add = drawn.add_token;
  // No link before the server has looked at it.
  drawn.set_attr = (data, type, value) => {
    if (type === smd.LANG || type === smd.START) data.nodes[data.index].setAttribute(type === smd.START ? "start" : "class", value);
  };
  drawn.add_token = (data, type) => add(data, shown(type));
  return drawn;
}

export class Tail {
  constructor(element) {
    this.element = element;
    this.reset(element.textContent);
  }

  reset(text) {
    this.element.classList.remove("raw");
    this.element.replaceChildren();
    this.parser = smd.parser(renderer(this.element));
    this.write(text);
  }

  write(text) {
    if (text) smd.parser_write(this.parser, text);
  }
}
