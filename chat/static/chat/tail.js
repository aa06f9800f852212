/* The block that is still being written, drawn optimistically; the server's rendering replaces it when it is finished. */

import * as smd from "../parley/vendor/streaming-markdown/0.2.15/smd.min.js";

function renderer(root) {
  const drawn = smd.default_renderer(root);
  const add = drawn.add_token;
  // No link and no image before the server has looked at it.
  drawn.set_attr = (data, type, value) => {
    if (type === smd.LANG || type === smd.START) data.nodes[data.index].setAttribute(type === smd.START ? "start" : "class", value);
  };
  drawn.add_token = (data, type) => add(data, type === smd.IMAGE || type === smd.CHECKBOX ? smd.ITALIC_AST : type);
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
