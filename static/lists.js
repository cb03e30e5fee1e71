/* Lists: what is shown stands in the address, and a heading sorts the whole of it.

   Links: Streamlit follows a link to the page one is on without telling the address bar, so that
   a reload, a shared link and every later press would go by the old one. Here such a link goes
   the way of the browser's own back and forward.

   Opening: Streamlit moves to another page in two steps, of which the first puts the other
   page's query behind the path of this one. The second takes its place in the history, so that
   the way back never leads to an address that nobody asked for.

   Next: whoever presses it twice means one application. A second press, by pointer or key, counts
   only once the page that the first one led to was drawn and seen for a moment.

   Headings: the column menu of a table inside a container keyed `whole-...` offers no sorting, as
   it would sort the rows at hand by themselves. */
"use strict";
(() => {
  if (window.reviewLists) return;
  window.reviewLists = true;

  const LINKS = 'a[data-testid="stPageLink-NavLink"], a[data-testid="stTopNavLink"]';
  const WHOLE = '[class*="st-key-whole-"]';

  /* Where the pages are: what their links say is meant from there, whatever page one is on. */
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
  /* The address that was just written behind the path of the page that is about to be left. */
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

  /* While this mark stands, the application that was taken has not been seen yet. */
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

  document.addEventListener("click", onClick, true);
  document.addEventListener("click", onNext, true);
  document.addEventListener("pointerdown", onPointer, true);
  document.addEventListener("keydown", forget, true);
})();
