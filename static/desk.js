/* What Streamlit cannot do by itself: keys that press or focus, and drafts that outlive a page.
   The Python side is dashboard/ui/keyboard.py; the two agree on class names only.

   Keys: a widget inside a container keyed `hot-x` answers to the key x while nobody types: a
   field gets the focus, a button is pressed. `hot-go` answers to Ctrl+Enter; while one types,
   the nearest `hot-go` or `hot-go-...` of the same column or dialog does, after what was typed
   has been handed over. Escape leaves a field, or presses `hot-back`. What is pressed while
   the server is still drawing waits until it has drawn.

   What sends: a button inside a container keyed `sends-...` answers only once it was seen for a
   moment as it is, and not to a pointer that has stayed on it since it pressed something else.
   A press before that does nothing, so that nothing is sent that nobody looked at.

   Drafts: what is typed into a text area inside a container keyed `draft-...` is kept in this
   browser, for the person named on the page, and put back wherever that field is drawn again.
   A name in data-sent says that the form was accepted, and its drafts go. Signing out takes
   them all. Text is only ever a value, never markup. */
"use strict";
(() => {
  if (window.reviewDesk) return;
  window.reviewDesk = true;

  const NAMED = { "/": "search", "?": "help" };
  const CHECK_MS = 40;
  const LOOKS = 150;
  const STARTS_MS = 400;
  const HAND_OVER_MS = 30;
  const KEEP_MS = 7 * 24 * 60 * 60 * 1000;
  const PREFIX = "affiliate-review-draft:";
  const NOT_TYPED = /^(button|checkbox|color|file|image|radio|range|reset|submit)$/;

  const isVisible = (element) => element.getClientRects().length > 0;
  /* Until when a press may still have to show in the server's state. */
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

  /* The widget that answers to a name; a field before a button, as the help sign of a field is
     a button as well. */
  function hot(name, part = document) {
    const holders = [...part.querySelectorAll(`.st-key-hot-${name}`)];
    for (const kind of ["textarea, input", "button"])
      for (const holder of holders) {
        const found = [...holder.querySelectorAll(kind)];
        const usable = found.find((element) => !element.disabled && isVisible(element));
        if (usable) return usable;
      }
    return undefined;
  }

  /* The name that Ctrl+Enter presses: `go`, or while one types the nearest `go-...` of the same
     column or dialog, so that what is typed in one place sends nothing in another. */
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

  // What sends.

  const SENDS = '[class*="st-key-sends-"]';
  /* The ways on and back: a press that comes after a step by a slow double press is none. */
  const STEPS = ".st-key-step-on";
  const SLOW_PRESS_MS = 1600;
  const LOOK_MS = 120;
  /* Since when each of these buttons shows what it shows. */
  const faces = new WeakMap();
  /* Where the pointer has been since it was last pressed on anything that took it. */
  let trail = null;
  /* What the pointer is pressed on, and whether that may send. */
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

  /* Whether it was seen as it is now for long enough; what does not send needs no look. */
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

  /* Seconds that run down, and what they belong to goes with the last. */
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

  /* Whether the pointer pressed something before this was shown, and never left the place. */
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
    // A press that was not taken begins nothing: the next one at this place is its repeat.
    if (!may) return take(event);
    const [x, y] = [event.clientX, event.clientY];
    trail = { at: performance.now(), left: x, right: x, top: y, bottom: y };
  }

  function onClick(event) {
    const button = watched(event.target);
    if (!button) return;
    // Without a count it is the keyboard's, or this script's: there is no pointer to look at.
    const isPointers = event.detail > 0;
    const wasPressed = pressed.button === button && pressed.name === nameOf(button) && pressed.may;
    if (isArmed(button) && (wasPressed || !isPointers)) return;
    take(event);
    event.stopImmediatePropagation();
  }

  /* What `find` finds, if it is what was seen at the time of the press. */
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

  /* Press what `find` finds: at once, or once the server has drawn what was asked for before. */
  function press(find, isGo = false, takesNext = false) {
    if (isIdle() && waiting.length === 0) return click(find());
    waiting.push({ find, isGo, takesNext, looks: 0 });
    if (waiting.length === 1) window.setTimeout(pressNext, CHECK_MS, 0);
  }

  function pressNext(idleBefore) {
    if (waiting.length === 0) return;
    // Looks are counted, not seconds, as a browser that is busy itself does not look. What was
    // pressed after one that leads nowhere was meant to come after it, and goes as well.
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

  /* A field that vanished under the hand: what is still typed is text, not keys. */
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
    // Nothing is sent that was not on the screen when it was pressed, and seen.
    if (event.repeat || !isArmed(seen)) return;
    const asked = asSeen(seen, find);
    const wasIdle = isIdle() && waiting.length === 0;
    // Leaving the field hands over what was typed; the press has to come after it.
    if (field) leave(field);
    if (field && wasIdle) {
      startsBy = Date.now() + STARTS_MS;
      window.setTimeout(() => click(asked()), HAND_OVER_MS);
      return;
    }
    // A second press that came too early finds another button, and is dropped.
    if (!seen && waiting.some((one) => one.isGo)) return;
    press(asked, true);
  }

  function onKey(event) {
    if (event.isComposing) return;
    const typing = typesIn(document.activeElement);
    if (typing) typed = { field: document.activeElement, at: Date.now() };
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) return goOn(event);
    // A key held down presses again and again; what sends is pressed once.
    if (event.repeat && /^(Enter| )$/.test(event.key) && sender(document.activeElement))
      return take(event);
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") {
      if (typing) return leave(document.activeElement);
      // Open dialogs and lists close themselves.
      const back = dialog() ? undefined : hot("back");
      if (!back) return;
      take(event);
      return press(() => hot("back"));
    }
    if (typing || !/^[a-z0-9/?]$/i.test(event.key)) return;
    if (event.shiftKey && /[a-z]/i.test(event.key)) return;
    if (wasText()) {
      typed.at = Date.now();
      return take(event);
    }
    // A dialog has the keyboard to itself.
    if (dialog()) return;
    answer(event, NAMED[event.key] || event.key.toLowerCase());
  }

  const isTakingNext = () => document.documentElement.hasAttribute("data-taking-next");

  function answer(event, name) {
    const element = hot(name);
    // Only digits may wait for something that is not there yet: what is about to be drawn may
    // give a letter to a button of Streamlit's own as well.
    if (!element && (isIdle() || !/^\d$/.test(name))) return;
    take(event);
    if (event.repeat || !isArmed(element)) return;
    const takesNext = Boolean(element?.closest(".st-key-take-next"));
    // Pressed before what the first press takes was seen, it means the same one (static/lists.js).
    if (takesNext && (isTakingNext() || waiting.some((one) => one.takesNext))) return;
    if (element && element.tagName !== "BUTTON") element.focus();
    else press(asSeen(element, () => hot(name)), false, takesNext);
  }

  // Drafts.

  const markers = () => document.querySelector("[data-person]");
  /* The places whose fields were on the page when it was last looked at. */
  let wereHere = new Set();
  const toHandOver = new Set();
  const forgotten = new Set();
  let isPuttingBack = false;

  /* What this browser keeps, as [place, [person, form, label]]; nothing where it may not. */
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
      /* A full or closed store only means that this draft lives no longer than the page. */
    }
  }

  /* Every field is looked at once for each form it serves: the draft is never older than what
     the server draws, as it follows each stroke. */
  function putBack(field) {
    const place = placeOf(field);
    if (!place || field.dataset.draftPlace === place) return;
    field.dataset.draftPlace = place;
    field.dataset.draftFirst = field.value;
    noteOf(field)?.remove();
    const kept = read(place);
    if (!kept || kept.text === field.value) return;
    fill(field, kept.text);
    // Where the field was drawn anew under the hand, this is what was just typed.
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

  /* Streamlit takes a text for typed when the field is left; a run that goes on is let finish. */
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

  /* `data-sent` holds "form#token" for what this session had accepted; each token counts once. */
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
  // What opens without being drawn anew, such as an expander, is seen from then on.
  window.setInterval(() => {
    watchSenders();
    countDown();
  }, LOOK_MS);
  document.addEventListener("input", (event) => {
    if (event.target.tagName !== "TEXTAREA") return;
    keep(event.target);
    // What is typed on is no restored draft any more.
    if (!isPuttingBack) noteOf(event.target)?.remove();
  });
  document.addEventListener(
    "click",
    (event) => {
      if (event.target.closest?.(".sign-out, .st-key-sign-out button")) forgetAll();
    },
    true,
  );
  forgetOld();
  new MutationObserver(settle).observe(document.documentElement, {
    childList: true,
    subtree: true,
    attributes: true,
    attributeFilter: ["class", "data-test-script-state"],
  });
  settle();
})();
