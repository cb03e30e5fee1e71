/* What Streamlit cannot do by itself: keys that press or focus, and drafts that outlive a page.

   Keys: a widget inside a container keyed `hot-x` answers to the key x while nobody types;
   a button is pressed, a field gets the focus. `hot-go` answers to Ctrl+Enter even while one
   types, after what was typed has been handed over. Escape leaves a field, or presses `hot-back`.

   Drafts: what is typed into a text area inside a container keyed `draft-...` is kept in this
   browser for the person named on the page, and put back where the field appears empty again.
   An element with data-draft-sent="draft-..." says that it was accepted, and the draft goes.
   Text is only ever a value, never markup. */
"use strict";
(() => {
  if (window.reviewDesk) return;
  window.reviewDesk = true;

  const KEEP_MS = 7 * 24 * 60 * 60 * 1000;
  const NAMED = { "/": "search", "?": "help" };
  const PREFIX = "affiliate-review-draft:";

  const isVisible = (element) => element.getClientRects().length > 0;
  const typesIn = (element) =>
    element && (element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName));

  function hot(name) {
    const inside = `.st-key-hot-${name}`;
    const found = document.querySelectorAll(`${inside} button, ${inside} textarea, ${inside} input`);
    return [...found].find((element) => !element.disabled && isVisible(element));
  }

  function answer(event, element) {
    event.preventDefault();
    event.stopPropagation();
    if (element.tagName === "BUTTON") element.click();
    else element.focus();
  }

  function goOn(event) {
    const button = hot("go");
    if (!button) return;
    event.preventDefault();
    event.stopPropagation();
    // Leaving the field hands over what was typed; the press has to come after it.
    if (typesIn(document.activeElement)) document.activeElement.blur();
    window.setTimeout(() => {
      const still = hot("go");
      if (still) still.click();
    }, 30);
  }

  document.addEventListener(
    "keydown",
    (event) => {
      if (event.isComposing || event.repeat) return;
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) return goOn(event);
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const typing = typesIn(document.activeElement);
      if (event.key === "Escape") {
        if (typing) return document.activeElement.blur();
        const back = hot("back");
        if (back) answer(event, back);
        return;
      }
      if (typing || event.key.length !== 1) return;
      // A dialog has the keyboard to itself.
      if (document.querySelector('[role="dialog"]')) return;
      const element = hot(NAMED[event.key] || event.key.toLowerCase());
      if (element && /^[a-z0-9/?]$/i.test(event.key)) answer(event, element);
    },
    true,
  );

  const person = () => document.querySelector("[data-person]")?.dataset.person;

  function placeOf(field) {
    const holder = field.closest('[class*="st-key-draft-"]');
    const token = holder && [...holder.classList].find((name) => name.startsWith("st-key-draft-"));
    const who = person();
    return token && who ? `${PREFIX}${who}:${token.slice(7)}:${field.getAttribute("aria-label")}` : null;
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
    if (!place) return;
    const first = field.dataset.draftFirst ?? "";
    if (field.value === first) return window.localStorage.removeItem(place);
    const kept = { first, text: field.value, at: Date.now() };
    try {
      window.localStorage.setItem(place, JSON.stringify(kept));
    } catch {
      /* A full store only means that this draft lives no longer than the page. */
    }
  }

  function putBack(field) {
    const place = placeOf(field);
    if (!place || field.dataset.draftPlace === place) return;
    field.dataset.draftPlace = place;
    field.dataset.draftFirst = field.value;
    const kept = read(place);
    if (!kept || kept.text === field.value) return;
    if (field.value !== "" && field.value !== kept.first) return;
    const setter = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set;
    setter.call(field, kept.text);
    field.dispatchEvent(new Event("input", { bubbles: true }));
    // Streamlit takes a text for typed when the field is left.
    field.dispatchEvent(new FocusEvent("focusout", { bubbles: true }));
    field.classList.add("draft-restored");
  }

  function forget(token) {
    const middle = `:${token}:`;
    for (const place of places()) if (place.includes(middle)) window.localStorage.removeItem(place);
  }

  const places = () =>
    Object.keys(window.localStorage).filter((place) => place.startsWith(PREFIX));

  function settle() {
    for (const mark of document.querySelectorAll("[data-draft-sent]:not([data-done])")) {
      mark.dataset.done = "yes";
      forget(mark.dataset.draftSent);
    }
    for (const field of document.querySelectorAll('[class*="st-key-draft-"] textarea')) putBack(field);
  }

  document.addEventListener("input", (event) => {
    if (event.target.tagName === "TEXTAREA") keep(event.target);
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest?.(".sign-out, .st-key-sign-out"))
      for (const place of places()) window.localStorage.removeItem(place);
  }, true);
  for (const place of places()) {
    const kept = read(place);
    if (!kept || Date.now() - kept.at > KEEP_MS) window.localStorage.removeItem(place);
  }
  new MutationObserver(settle).observe(document.documentElement, {
    childList: true,
    subtree: true,
    attributes: true,
    attributeFilter: ["data-draft-sent", "class"],
  });
  settle();
})();
