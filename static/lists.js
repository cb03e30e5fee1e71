/* Lists: the address holds what is shown, and a heading sorts the whole list.

   Links: Streamlit follows a link to the current page without changing the address, so that a
   reload, a shared link and later presses would use the old one. Here such a link is handled
   like the browser's back and forward.

   Opening: Streamlit goes to another page in two steps, of which the first appends the new
   page's query to the current path. The second replaces it in the history, so that going back
   never leads to that address.

   Next: pressing it twice means one application. A second press, by pointer or key, counts only
   after the page of the first one was drawn and visible for a moment.

   Cut text: the grid ends a long text at its column's edge, within a letter, so that two names may
   read alike. Here it ends with an ellipsis.

   Headings: in a container with the key `whole-...`, the column menu of a table offers no
   sorting, since it would sort only the rows on the page. */
"use strict";
(() => {
  if (window.reviewLists) return;
  window.reviewLists = true;

  const LINKS = 'a[data-testid="stPageLink-NavLink"], a[data-testid="stTopNavLink"]';
  const WHOLE = '[class*="st-key-whole-"]';

  /* The root of the pages, to which their links are relative on every page. */
  const root = new URL("../../", document.querySelector('script[src*="static/lists.js"]').src);

  function onClick(event) {
    const link = event.target.closest?.(LINKS);
    const isOrdinary = !event.button && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
    if (!link || !isOrdinary) return;
    const to = new URL(link.getAttribute("href") || root.href, root);
    if (to.origin !== location.origin || to.pathname !== location.pathname) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (to.search !== location.search) push({}, "", to.pathname + to.search);
    window.dispatchEvent(new PopStateEvent("popstate"));
  }

  const push = window.history.pushState.bind(window.history);
  /* The address after the first step of opening another page. */
  let halfway = null;

  window.history.pushState = (state, unused, address) => {
    const to = new URL(address, location.href);
    const isThisPage = to.pathname === location.pathname;
    if (!isThisPage && halfway === location.href && to.search === location.search)
      window.history.replaceState(state, unused, address);
    else push(state, unused, address);
    halfway = isThisPage ? location.href : null;
  };

  const NEXT = ".st-key-take-next button";
  const SEEN_MS = 600;
  const LOOK_MS = 50;
  const isBusy = () =>
    document.querySelector("[data-test-script-state]")?.dataset.testScriptState !== "notRunning";

  /* While this attribute is set, the claimed application has not been visible yet. */
  function mark(isTaking) {
    document.documentElement.toggleAttribute("data-taking-next", isTaking);
  }

  function waitUntilSeen(since) {
    const from = isBusy() ? performance.now() : since;
    if (performance.now() - from >= SEEN_MS) mark(false);
    else window.setTimeout(waitUntilSeen, LOOK_MS, from);
  }

  function onNext(event) {
    if (!event.target.closest?.(NEXT)) return;
    if (document.documentElement.hasAttribute("data-taking-next")) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    mark(true);
    waitUntilSeen(performance.now());
  }

  const forget = () => {
    halfway = null;
  };

  function onPointer(event) {
    forget();
    if (event.target.closest?.('[data-testid="stDataFrameColumnMenu"]')) return;
    document.documentElement.toggleAttribute("data-whole", Boolean(event.target.closest?.(WHOLE)));
  }

  const pen = CanvasRenderingContext2D.prototype;
  const { rect, clip, fillText } = pen;
  const BESIDE = 3;
  const LEAST_LETTER = 2;

  /* The grid draws every cell within its column's rectangle. */
  pen.rect = function (x, y, width, height) {
    this.lastBox = { start: x, end: x + width };
    return rect.call(this, x, y, width, height);
  };
  pen.clip = function (...how) {
    this.column = this.lastBox;
    return clip.apply(this, how);
  };
  pen.fillText = function (text, x, ...rest) {
    return fillText.call(this, fitting(this, String(text), x), x, ...rest);
  };

  function fitting(on, text, x) {
    const { column } = on;
    if (!column || x < column.start || x >= column.end) return text;
    if (on.textAlign === "center" || on.direction === "rtl") return text;
    const room = (on.textAlign === "right" ? x - column.start : column.end - x) - BESIDE;
    if (on.measureText(text).width <= room) return text;
    const letters = [...text.slice(0, Math.ceil(room / LEAST_LETTER))];
    while (letters.length > 1 && on.measureText(`${letters.join("")}…`).width > room) letters.pop();
    return `${letters.join("")}…`;
  }

  document.addEventListener("click", onClick, true);
  document.addEventListener("click", onNext, true);
  document.addEventListener("pointerdown", onPointer, true);
  document.addEventListener("keydown", forget, true);
})();
