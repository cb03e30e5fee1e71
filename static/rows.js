/* Rows: the keyboard's cursor in a list of applications, and a click anywhere in a row.

   The Python side is dashboard/ui/row_cursor.py: a mark beside the table says which applications
   the rows are, and is drawn as the cursor. Where it stands is kept here: at the row just left
   when coming back from an application, at the same application when the list is drawn again, at
   the same place when that one is gone, and at the first row of another view or page.

   Keys, while nobody types (static/desk.js): j and k move, past the page's end to the next page;
   x ticks; o opens the first row, Enter that of the cursor. Where the table has the focus, the
   arrows and the space bar do the same. Opening changes the address, as the browser's forward
   would, so that a second press finds the list left and does nothing. */
"use strict";
(() => {
  if (window.reviewRows) return;
  window.reviewRows = true;

  const shared = (window.reviewKeys ??= { acts: {} });
  const root = new URL("../../", document.querySelector('script[src*="static/rows.js"]').src);
  const application = new URL("application", root);
  const PAGES = ".st-key-queue-pages";
  const ACTIVE = "a, button, summary, [role=button], [role=radio], [role=tab], [role=option]";
  const CLICK_PX = 5;

  /* What was listed when the cursor was placed, and where it stands. */
  const cursor = { query: null, ids: [], at: 0 };
  /* The application that was on the screen last. */
  let visited = null;
  /* Whether the page asked for is entered at its last row. */
  let fromEnd = false;
  let pressedAt = [0, 0];
  let isPointers = false;

  const mark = () => document.querySelector(".row-cursor");
  const scroller = () => mark()?.closest('[class*="st-key-whole-"]')?.querySelector(".dvn-scroller");
  const isList = () => mark() !== null && location.pathname !== application.pathname;

  function settle() {
    const here = mark();
    if (location.pathname === application.pathname)
      visited = new URLSearchParams(location.search).get("id") ?? visited;
    if (!here || !isList()) return;
    const { query } = here.dataset;
    const ids = here.dataset.ids.split(" ");
    if (query === cursor.query && ids.join() === cursor.ids.join()) return show();
    const was = placed(ids, query);
    const moves = visited !== null || query !== cursor.query;
    Object.assign(cursor, { query, ids, at: was });
    visited = null;
    fromEnd = false;
    show();
    if (moves && was > 0) reveal();
  }

  function placed(ids, query) {
    const last = ids.length - 1;
    if (ids.includes(visited)) return ids.indexOf(visited);
    if (query !== cursor.query) return fromEnd ? last : 0;
    const same = ids.indexOf(cursor.ids[cursor.at]);
    return same < 0 ? Math.min(cursor.at, last) : same;
  }

  function show() {
    document.documentElement.style.setProperty("--row", cursor.at);
  }

  function reveal() {
    mark()?.scrollIntoView({ block: "nearest" });
  }

  function moveTo(at) {
    cursor.at = at;
    // A control that was pressed before would take Enter.
    if (document.activeElement?.matches(ACTIVE)) document.activeElement.blur();
    show();
    reveal();
    const here = mark();
    here.textContent = `${here.dataset.names.split("\n")[at]}, ${at + 1} of ${cursor.ids.length}`;
  }

  function step(by) {
    const at = cursor.at + by;
    if (at >= 0 && at < cursor.ids.length) moveTo(at);
    else turn(by);
  }

  /* Go to the next or previous page, once: while it is fetched, the list is the old one. */
  function turn(by) {
    const isBusy = document.querySelector("[data-test-script-state]")?.dataset.testScriptState;
    const buttons = [...document.querySelectorAll(`${PAGES} [data-testid=stPagination] button`)];
    const button = by > 0 ? buttons.at(-1) : buttons.at(0);
    if (!button || button.disabled || isBusy !== "notRunning") return;
    fromEnd = by < 0;
    button.click();
  }

  function open(at, inNewTab = false) {
    const id = cursor.ids[at];
    if (id === undefined || !isList()) return;
    const query = new URLSearchParams(mark().dataset.query);
    query.set("id", id);
    const address = `${application.pathname}?${query}`;
    if (inNewTab) return window.open(address, "_blank", "noopener");
    cursor.at = at;
    history.pushState({}, "", address);
    window.dispatchEvent(new PopStateEvent("popstate"));
  }

  /* Tick the cursor's row, as a pointer would: the table has no other way in. */
  function tick() {
    const { header, high, ticks } = mark().dataset;
    const target = scroller();
    if (!target || ticks === "0") return;
    const its = target.getBoundingClientRect();
    const at = {
      bubbles: true,
      cancelable: true,
      clientX: its.left + ticks / 2,
      clientY: its.top + Number(header) + (cursor.at + 0.5) * high - target.scrollTop,
      pointerId: 1,
      pointerType: "mouse",
      isPrimary: true,
    };
    for (const name of ["pointerdown", "pointerup"]) target.dispatchEvent(new PointerEvent(name, at));
    for (const name of ["mousedown", "mouseup", "click"]) target.dispatchEvent(new MouseEvent(name, at));
  }

  /* The row under the pointer; undefined over the heading, the boxes and outside. */
  function rowAt(event) {
    const target = event.target.closest?.(".dvn-scroller");
    if (!target || target !== scroller()) return undefined;
    const { header, high, ticks } = mark().dataset;
    const its = target.getBoundingClientRect();
    const [x, y] = [event.clientX - its.left, event.clientY - its.top];
    if (y < header || x > target.clientWidth || y > target.clientHeight) return undefined;
    const at = Math.floor((y - header + target.scrollTop) / high);
    return at < cursor.ids.length ? { at, isBox: x < ticks } : undefined;
  }

  function onClick(event) {
    const row = isList() ? rowAt(event) : undefined;
    if (!row || event.button > 1 || event.shiftKey || event.altKey) return;
    const [x, y] = pressedAt;
    if (row.isBox || Math.hypot(event.clientX - x, event.clientY - y) > CLICK_PX) return;
    open(row.at, event.button === 1 || event.ctrlKey || event.metaKey);
  }

  function onPress(event) {
    isPointers = true;
    pressedAt = [event.clientX, event.clientY];
    const row = event.isTrusted && isList() ? rowAt(event) : undefined;
    if (!row) return;
    cursor.at = row.at;
    show();
  }

  const KEYS = { ArrowDown: () => step(1), ArrowUp: () => step(-1), " ": tick };

  function onKey(event) {
    if (event.key === "Tab") isPointers = false;
    if (!isList() || !shared.isFree?.(event)) return;
    const focused = document.activeElement;
    const isTable = Boolean(focused?.closest(".stDataFrame") && scroller()?.closest(".stDataFrame").contains(focused));
    // A control chosen by the keyboard takes Enter itself.
    const mayOpen = isTable || isPointers || !focused?.matches(ACTIVE);
    if (event.key === "Enter" ? !mayOpen : !isTable || !(event.key in KEYS)) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key !== "Enter") KEYS[event.key]();
    else if (!event.repeat) open(cursor.at);
  }

  /* Letters come from static/desk.js; each says whether it was meant for a row. */
  function respond(does) {
    return (event) => {
      if (!isList()) return false;
      does(event);
      return true;
    };
  }

  const once = (does) => (event) => event.repeat || does();
  Object.assign(shared.acts, {
    j: respond(() => step(1)),
    k: respond(() => step(-1)),
    x: respond(once(tick)),
    o: respond(once(() => open(0))),
  });

  document.addEventListener("keydown", onKey, true);
  document.addEventListener("pointerdown", onPress, true);
  document.addEventListener("click", onClick, true);
  document.addEventListener("auxclick", onClick, true);
  new MutationObserver(settle).observe(document.documentElement, { childList: true, subtree: true });
  settle();
})();
