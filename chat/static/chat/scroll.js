/* Follows an answer only while the reader is at its end; otherwise offers the way there. */

const NEAR = 48;

export function followScroll(scroller, button) {
  const thread = scroller.querySelector("[data-thread]");
  let following = true;
  let last = scroller.scrollTop;

  const away = () => scroller.scrollHeight - scroller.clientHeight - scroller.scrollTop;
  const toEnd = () => {
    following = true;
    scroller.scrollTop = scroller.scrollHeight;
  };
  const offer = () => {
    button.hidden = following || away() <= NEAR || !thread.querySelector("[aria-busy]");
  };

  scroller.addEventListener("scroll", () => {
    if (scroller.scrollTop < last - 1) following = away() <= NEAR;
    else if (away() <= NEAR) following = true;
    last = scroller.scrollTop;
    offer();
  });
  button.addEventListener("click", toEnd);
  document.addEventListener("answer-start", () => requestAnimationFrame(toEnd));
  new ResizeObserver(() => {
    if (following) scroller.scrollTop = scroller.scrollHeight;
    offer();
  }).observe(thread);
  if (!location.hash) toEnd();
}
