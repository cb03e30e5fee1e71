/* What Streamlit lacks: keys that press or focus, drafts that outlive a page, and small copy buttons.
   The Python side is dashboard/ui/keyboard.py; the two share only class names.

   Keys: a widget inside a container with the key `hot-x`, or listed in data-keys, responds to the
   key x while nobody types: a field is focused, a button is pressed. `hot-go` responds to Ctrl+Enter; while
   somebody types, the nearest `hot-go` or `hot-go-...` of the same column or dialog does, after
   the text has been submitted to the server. Escape leaves a field, presses `hot-back`, or goes from
   an application back to its list. Keys
   pressed while the server is drawing wait until it is done.

   Sending: a button inside a container with the key `sends-...` responds only after it was
   visible unchanged for a moment, and not to a pointer that has rested on it since pressing
   something else. An earlier press does nothing, so that nothing is sent unseen.

   Drafts: text in a text area inside a container with the key `draft-...` is stored in this
   browser, for the person named on the page, and restored wherever that field is drawn again.
   A name in data-sent says that the form was accepted, and its drafts are dropped. Signing out
   drops them all. Text is only ever a value, never markup. */
"use strict";
(() => {
  if (window.reviewDesk) return;
  window.reviewDesk = true;
  /* Shared with static/rows.js, whichever loads first: its `acts` respond to a letter before widgets
     do, and return whether it was theirs; `isFree` is whether a key is a shortcut now. */
  const shared = (window.reviewKeys ??= { acts: {} });
  shared.isFree = isFree;

  const NAMED = { "/": "search", "?": "help" };
  const LIST_LINK = '.st-key-application-head a[data-testid="stPageLink-NavLink"]';
  const CHECK_MS = 40;
  const LOOKS = 150;
  const STARTS_MS = 400;
  const HAND_OVER_MS = 30;
  const KEEP_MS = 7 * 24 * 60 * 60 * 1000;
  const PREFIX = "affiliate-review-draft:";
  const NOT_TYPED = /^(button|checkbox|color|file|image|radio|range|reset|submit)$/;

  const isVisible = (element) => element.getClientRects().length > 0;
  /* Until when the server's state may not yet show a press. */
  let startsBy = 0;

  function isIdle() {
    const state = document.querySelector("[data-test-script-state]")?.dataset.testScriptState;
    const isBusy = state !== undefined && state !== "notRunning";
    if (isBusy) startsBy = 0;
    return !isBusy && Date.now() > startsBy;
  }

  function typesIn(element) {
    if (!element) return false;
    if (element.tagName === "INPUT") return !NOT_TYPED.test(element.type);
    return element.isContentEditable || /^(TEXTAREA|SELECT)$/.test(element.tagName);
  }

  // Keys.

  const DIALOG = '[role="dialog"], [data-testid="stPopoverBody"]';
  const dialog = () => [...document.querySelectorAll(DIALOG)].filter(isVisible).pop();

  /* The widgets that respond to a name by themselves, as the page lists them. */
  function widgetsOf(name) {
    const listed = document.querySelector("[data-keys]")?.dataset.keys ?? "";
    return listed
      .split(" ")
      .map((pair) => pair.split("#"))
      .filter(([, key]) => (NAMED[key] ?? key) === name)
      .map(([widget]) => widget);
  }

  /* The widget that responds to a name; fields come before buttons, since a field's help icon is
     a button too. */
  function hot(name, part = document) {
    const own = widgetsOf(name).map((widget) => `.st-key-${widget}`);
    const holders = [...part.querySelectorAll([`.st-key-hot-${name}`, ...own].join(", "))];
    for (const kind of ["textarea, input", "button"])
      for (const holder of holders) {
        const found = [...holder.querySelectorAll(kind)];
        const usable = found.find((element) => !element.disabled && isVisible(element));
        if (usable) return usable;
      }
    return undefined;
  }

  /* The name that Ctrl+Enter presses: `go`, or while typing the nearest `go-...` of the same
     column or dialog, so that typing in one place sends nothing in another. */
  function goName(field) {
    if (!field) return "go";
    const last = field.closest(DIALOG) ?? outermostColumn(field) ?? document.body;
    for (let part = field; part; part = part === last ? null : part.parentElement) {
      const names = [...part.querySelectorAll('[class*="st-key-hot-go"]')]
        .flatMap((holder) => [...holder.classList])
        .filter((its) => /^st-key-hot-go(-|$)/.test(its))
        .map((its) => its.slice("st-key-hot-".length));
      const name = names.find((its) => hot(its, part));
      if (name) return name;
    }
    return undefined;
  }

  function outermostColumn(field) {
    let column;
    for (let part = field; part; part = part.parentElement)
      if (part.matches('[data-testid="stColumn"]')) column = part;
    return column;
  }

  function take(event) {
    event.preventDefault();
    event.stopPropagation();
  }

  // Sending.

  const SENDS = '[class*="st-key-sends-"]';
  /* Buttons to the next and previous step: the second press of a slow double press is ignored. */
  const STEPS = ".st-key-step-on";
  const SLOW_PRESS_MS = 1600;
  const LOOK_MS = 120;
  /* Since when each of these buttons is unchanged. */
  const faces = new WeakMap();
  /* Where the pointer has been since its last accepted press. */
  let trail = null;
  /* The element that the pointer pressed, and whether it may send. */
  let pressed = {};

  const armedAfter = () => Number(document.querySelector("[data-armed-after]")?.dataset.armedAfter ?? 600);

  function sender(target) {
    const button = target?.closest?.("button");
    return button?.closest(SENDS) ? button : undefined;
  }

  function watched(target) {
    const button = target?.closest?.("button");
    return button?.closest(`${SENDS}, ${STEPS}`) ? button : undefined;
  }

  function nameOf(button) {
    const holder = button.closest(SENDS);
    const its = holder && [...holder.classList].find((name) => name.startsWith("st-key-sends-"));
    return `${its ?? ""} ${button.textContent}`;
  }

  /* Whether it was visible unchanged for long enough; always true if it does not send. */
  function isArmed(button) {
    if (!sender(button)) return true;
    const face = faces.get(button);
    return face?.name === nameOf(button) && performance.now() - face.at >= armedAfter();
  }

  function watchSenders() {
    for (const button of document.querySelectorAll("button[data-arming]"))
      if (!sender(button)) mark(button, false);
    for (const button of document.querySelectorAll(`${SENDS} button, ${STEPS} button`)) watch(button);
  }

  /* Count down seconds, and hide their container after the last. */
  function countDown() {
    for (const mark of document.querySelectorAll("[data-leaves-in]")) {
      mark.dataset.endsAt ??= performance.now() + Number(mark.dataset.leavesIn);
      const left = Math.ceil((mark.dataset.endsAt - performance.now()) / 1000);
      const words = `${Math.max(left, 0)} s`;
      if (mark.textContent !== words) mark.textContent = words;
      mark.closest('[class*="st-key-undo"]')?.classList.toggle("is-over", left <= 0);
    }
  }

  function watch(button) {
    const name = nameOf(button);
    if (document.hidden || !isVisible(button)) faces.delete(button);
    else if (faces.get(button)?.name !== name) {
      faces.set(button, { name, at: performance.now() });
      window.setTimeout(watchSenders, armedAfter() + 1);
    }
    mark(button, !isArmed(button));
  }

  function mark(button, isArming) {
    if (button.hasAttribute("data-arming") === isArming) return;
    button.toggleAttribute("data-arming", isArming);
    if (isArming) button.setAttribute("aria-disabled", "true");
    else button.removeAttribute("aria-disabled");
  }

  function follow(event) {
    if (!trail) return;
    trail.left = Math.min(trail.left, event.clientX);
    trail.right = Math.max(trail.right, event.clientX);
    trail.top = Math.min(trail.top, event.clientY);
    trail.bottom = Math.max(trail.bottom, event.clientY);
  }

  /* Whether the pointer pressed something before this was shown, and has not moved since. */
  function hasRestedOn(button) {
    const at = faces.get(button)?.at;
    const its = button.getBoundingClientRect();
    return (
      trail !== null &&
      trail.at < at &&
      (sender(button) || performance.now() - at < SLOW_PRESS_MS) &&
      trail.left >= its.left &&
      trail.right <= its.right &&
      trail.top >= its.top &&
      trail.bottom <= its.bottom
    );
  }

  function onPress(event) {
    follow(event);
    const button = watched(event.target);
    const may = !button || (isArmed(button) && !hasRestedOn(button));
    pressed = { button, name: button && nameOf(button), may };
    // After an ignored press, the next one at this place is its repeat and is ignored too.
    if (!may) return take(event);
    const [x, y] = [event.clientX, event.clientY];
    trail = { at: performance.now(), left: x, right: x, top: y, bottom: y };
  }

  function onClick(event) {
    const button = watched(event.target);
    if (!button) return;
    // Clicks by the keyboard or this script have no count and no pointer.
    const isPointers = event.detail > 0;
    const wasPressed = pressed.button === button && pressed.name === nameOf(button) && pressed.may;
    if (isArmed(button) && (wasPressed || !isPointers)) return;
    take(event);
    event.stopImmediatePropagation();
  }

  /* The result of `find`, if it is what was visible at the press. */
  function asSeen(seen, find) {
    const name = seen && nameOf(seen);
    const its = keyOf(seen);
    return () => {
      const found = find();
      if (!found) return found;
      if (seen && keyOf(found) !== its) return null;
      return sender(found) && (!seen || nameOf(found) !== name) ? null : found;
    };
  }

  const waiting = [];

  function click(button) {
    if (!button) return;
    startsBy = Date.now() + STARTS_MS;
    button.click();
  }

  /* Press the result of `find`: now, or when the server has drawn the result of earlier presses. */
  function press(find, isGo = false, takesNext = false) {
    if (isIdle() && waiting.length === 0) return click(find());
    waiting.push({ find, isGo, takesNext, looks: 0 });
    if (waiting.length === 1) window.setTimeout(pressNext, CHECK_MS, 0);
  }

  function pressNext(idleBefore) {
    if (waiting.length === 0) return;
    // Checks are counted, not seconds, since a busy browser does not check. Presses after one that
    // found nothing were meant to follow it, and are dropped too.
    if (++waiting[0].looks > LOOKS) {
      waiting.length = 0;
      return;
    }
    const idle = isIdle() ? idleBefore + 1 : 0;
    const found = idle > 1 ? waiting[0].find() : undefined;
    if (found !== undefined) {
      waiting.shift();
      click(found);
    }
    window.setTimeout(pressNext, CHECK_MS, found === undefined ? idle : 0);
  }

  let typed = { field: null, at: 0 };

  /* Whether a field just vanished while typing: further input is text, not shortcuts. */
  const wasText = () => typed.field && !typed.field.isConnected && Date.now() - typed.at < 1000;

  function leave(field) {
    typed.field = null;
    field.blur();
  }

  const keyOf = (button) =>
    [...(button?.closest('[class*="st-key-"]')?.classList ?? [])].find((its) => its.startsWith("st-key-"));

  function goOn(event) {
    const field = typesIn(document.activeElement) ? document.activeElement : undefined;
    const name = goName(field);
    const find = () => (name ? hot(name, dialog()) : undefined);
    const seen = find();
    if (!seen && (field || isIdle())) return;
    take(event);
    // Send only what was visible when pressed.
    if (event.repeat || !isArmed(seen)) return;
    const asked = asSeen(seen, find);
    const wasIdle = isIdle() && waiting.length === 0;
    // Leaving the field submits its text; the press must come after that.
    if (field) leave(field);
    if (field && wasIdle) {
      startsBy = Date.now() + STARTS_MS;
      window.setTimeout(() => click(asked()), HAND_OVER_MS);
      return;
    }
    // A second press that came too early would hit another button, and is dropped.
    if (!seen && waiting.some((one) => one.isGo)) return;
    press(asked, true);
  }

  function onKey(event) {
    if (event.isComposing) return;
    const typing = typesIn(document.activeElement);
    if (typing) typed = { field: document.activeElement, at: Date.now() };
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) return goOn(event);
    // A held key repeats; a sending button is pressed once.
    if (event.repeat && /^(Enter| )$/.test(event.key) && sender(document.activeElement))
      return take(event);
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") {
      if (typing) return leave(document.activeElement);
      // Dialogs and lists close by themselves.
      const back = dialog() ? undefined : hot("back");
      if (!back) return toList(event);
      take(event);
      return press(() => hot("back"));
    }
    if (typing || !/^[a-z0-9/?]$/i.test(event.key)) return;
    if (event.shiftKey && /[a-z]/i.test(event.key)) return;
    if (wasText()) {
      typed.at = Date.now();
      return take(event);
    }
    // An open dialog receives all keys.
    if (dialog()) return;
    answer(event, NAMED[event.key] || event.key.toLowerCase());
  }

  /* From an application without an open step, Escape goes back to its list. */
  function toList(event) {
    const link = dialog() ? null : document.querySelector(LIST_LINK);
    if (!link || event.repeat || !isIdle() || waiting.length > 0) return;
    take(event);
    click(link);
  }

  const isTakingNext = () => document.documentElement.hasAttribute("data-taking-next");

  /* Whether nobody types, no dialog is open, and the key is pressed alone. */
  function isFree(event) {
    const isHeld = event.ctrlKey || event.metaKey || event.altKey || event.shiftKey;
    return !event.isComposing && !isHeld && !typesIn(document.activeElement) && !wasText() && !dialog();
  }

  function answer(event, name) {
    if (shared.acts[name]?.(event)) return take(event);
    const element = hot(name);
    // Only digits may wait for a button that is not drawn yet: a letter may become a shortcut of
    // Streamlit's own.
    if (!element && (isIdle() || !/^\d$/.test(name))) return;
    take(event);
    if (event.repeat || !isArmed(element)) return;
    const takesNext = Boolean(element?.closest(".st-key-take-next"));
    // Before the first press's result was visible, it means the same one (static/lists.js).
    if (takesNext && (isTakingNext() || waiting.some((one) => one.takesNext))) return;
    if (element && element.tagName !== "BUTTON") element.focus();
    else press(asSeen(element, () => hot(name)), false, takesNext);
  }

  // Drafts.

  const markers = () => document.querySelector("[data-person]");
  /* The places whose fields were on the page at the last check. */
  let wereHere = new Set();
  const toHandOver = new Set();
  const forgotten = new Set();
  let isPuttingBack = false;

  /* The drafts in this browser, as [place, [person, form, label]]; empty if storage is blocked. */
  function places() {
    try {
      return Object.keys(window.localStorage)
        .filter((place) => place.startsWith(PREFIX))
        .map((place) => [place, JSON.parse(place.slice(PREFIX.length))]);
    } catch {
      return [];
    }
  }

  function placeOf(field) {
    const holder = field.closest('[class*="st-key-draft-"]');
    const its = holder && [...holder.classList].find((name) => name.startsWith("st-key-draft-"));
    const person = markers()?.dataset.person;
    if (!its || !person) return null;
    const form = its.slice("st-key-draft-".length);
    return PREFIX + JSON.stringify([person, form, field.getAttribute("aria-label")]);
  }

  function read(place) {
    try {
      return JSON.parse(window.localStorage.getItem(place));
    } catch {
      return null;
    }
  }

  function keep(field) {
    const place = placeOf(field);
    if (!place || isPuttingBack) return;
    try {
      if (field.value === (field.dataset.draftFirst ?? "")) window.localStorage.removeItem(place);
      else window.localStorage.setItem(place, JSON.stringify({ text: field.value, at: Date.now() }));
    } catch {
      /* With full or blocked storage, the draft lives only as long as the page. */
    }
  }

  /* Each field is restored once per form: a draft is saved at each keystroke, so it is never
     older than the server's text. */
  function putBack(field) {
    const place = placeOf(field);
    if (!place || field.dataset.draftPlace === place) return;
    field.dataset.draftPlace = place;
    field.dataset.draftFirst = field.value;
    noteOf(field)?.remove();
    const kept = read(place);
    if (!kept || kept.text === field.value) return;
    fill(field, kept.text);
    // If the field was redrawn while typing, this is what was just typed.
    if (!wereHere.has(place)) say(field, kept.at);
  }

  function putAllBack() {
    const fields = [...document.querySelectorAll('[class*="st-key-draft-"] textarea')];
    for (const field of fields) putBack(field);
    wereHere = new Set(fields.map(placeOf));
  }

  function fill(field, text) {
    isPuttingBack = true;
    const { set } = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value");
    set.call(field, text);
    field.dispatchEvent(new Event("input", { bubbles: true }));
    isPuttingBack = false;
    toHandOver.add(field);
  }

  /* Streamlit accepts text when the field is left; let a running script finish. */
  function handOver() {
    if (!isIdle()) return;
    for (const field of toHandOver) {
      toHandOver.delete(field);
      if (field.isConnected && field !== document.activeElement)
        field.dispatchEvent(new FocusEvent("focusout", { bubbles: true }));
    }
  }

  const noteOf = (field) => field.closest('[data-testid="stTextArea"]')?.querySelector(".draft-note");

  function say(field, at) {
    const note = document.createElement("div");
    note.className = "draft-note";
    note.setAttribute("role", "status");
    const when = { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", timeZone: "UTC" };
    const words = document.createElement("span");
    words.textContent = `Draft restored, of ${new Date(at).toLocaleString("en-GB", when)} UTC`;
    const discard = document.createElement("button");
    discard.type = "button";
    discard.textContent = "Discard";
    discard.addEventListener("click", () => {
      const place = placeOf(field);
      if (place) window.localStorage.removeItem(place);
      fill(field, field.dataset.draftFirst);
      note.remove();
      handOver();
    });
    note.append(words, discard);
    field.closest('[data-testid="stTextArea"]')?.append(note);
  }

  /* `data-sent` holds "form#token" for each accepted form; each token counts once. */
  function forgetSent() {
    for (const sent of (markers()?.dataset.sent ?? "").split(" ")) {
      const [form, token] = sent.split("#");
      if (!token || forgotten.has(token)) continue;
      forgotten.add(token);
      for (const [place, [person, of]] of places())
        if (person === markers().dataset.person && (of === form || of.startsWith(`${form}-`)))
          window.localStorage.removeItem(place);
    }
  }

  function forgetAll() {
    for (const [place] of places()) window.localStorage.removeItem(place);
  }

  function forgetOld() {
    for (const [place] of places())
      if (!(Date.now() - read(place)?.at < KEEP_MS)) window.localStorage.removeItem(place);
  }

  // Copying: see dashboard/ui/copying.py.

  const COPIED_MS = 1500;

  function copy(button) {
    const element = button.closest('[data-testid="stElementContainer"]')?.previousElementSibling;
    const text = element?.querySelector('[data-testid="stText"]');
    if (!text) return;
    const byHand = () => {
      window.getSelection().selectAllChildren(text);
      document.execCommand("copy");
    };
    // A page without encryption has no clipboard of its own, and a browser may refuse it.
    if (navigator.clipboard) navigator.clipboard.writeText(text.textContent).catch(byHand);
    else byHand();
    const icon = button.querySelector(".icon");
    icon.textContent = "check";
    button.setAttribute("aria-label", "Copied");
    window.setTimeout(() => {
      icon.textContent = "content_copy";
      button.setAttribute("aria-label", "Copy");
    }, COPIED_MS);
  }

  // Scripts of other pages, as the frame names them: see dashboard/shell/frame.py.

  const REST_MS = 3000;

  function fetchLater() {
    if (!isIdle()) {
      window.setTimeout(fetchLater, REST_MS);
      return;
    }
    const named = document.querySelector('meta[name="fetched-later"]')?.content ?? "";
    for (const href of named.split(" ").filter(Boolean))
      document.head.append(Object.assign(document.createElement("link"), { rel: "prefetch", as: "script", crossOrigin: "", href }));
  }

  /* What only named scripts to fetch, and what stood for the page before it came: over a hundred
     elements that nobody sees, which every query of the page would walk through. */
  const NAMES_SCRIPT = 'link:is([rel="modulepreload"], [rel="prefetch"])';
  let isCleared = false;

  function clearSpent() {
    if (isCleared || !isIdle() || !document.querySelector('[data-testid="stElementContainer"]')) return;
    isCleared = true;
    const fetched = new Set(performance.getEntriesByType("resource").map((one) => one.name));
    for (const link of document.querySelectorAll(NAMES_SCRIPT)) if (fetched.has(link.href)) link.remove();
    document.getElementById("before-the-page")?.remove();
  }

  function settle() {
    isIdle();
    watchSenders();
    countDown();
    forgetSent();
    putAllBack();
    handOver();
  }

  document.addEventListener("keydown", onKey, true);
  document.addEventListener(
    "pointerdown",
    (event) => {
      waiting.length = 0;
      typed.field = null;
      onPress(event);
    },
    true,
  );
  document.addEventListener("pointermove", follow, { capture: true, passive: true });
  document.addEventListener("click", onClick, true);
  document.addEventListener("load", ({ target }) => target.matches?.(NAMES_SCRIPT) && target.remove(), true);
  // Content that opens without a redraw, such as an expander, is visible from then on.
  window.setInterval(() => {
    watchSenders();
    countDown();
    clearSpent();
  }, LOOK_MS);
  document.addEventListener("input", (event) => {
    if (event.target.tagName !== "TEXTAREA") return;
    keep(event.target);
    // After typing, the text is no longer a restored draft.
    if (!isPuttingBack) noteOf(event.target)?.remove();
  });
  document.addEventListener(
    "click",
    (event) => {
      const copies = event.target.closest?.(".copies");
      if (copies) copy(copies);
      if (event.target.closest?.(".sign-out, [class*=st-key-sign-out] button")) forgetAll();
    },
    true,
  );
  window.setTimeout(fetchLater, REST_MS);
  forgetOld();
  new MutationObserver(settle).observe(document.documentElement, {
    childList: true,
    subtree: true,
    attributes: true,
    attributeFilter: ["class", "data-test-script-state"],
  });
  settle();
})();
