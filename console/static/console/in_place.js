/* The list of designs. A control with data-set stores its field as soon as it changes. */

import { post, say, wordsOf } from "./requests.js";

const valueOf = (control) => (control.type === "checkbox" ? String(control.checked) : control.value);

function put(control, value) {
  if (control.type === "checkbox") control.checked = value;
  else control.value = value;
}

for (const control of document.querySelectorAll("[data-set]")) {
  control.dataset.stored = valueOf(control);
}

document.addEventListener("change", async (event) => {
  const control = event.target;
  if (!control.dataset?.set) return;
  const { set, field, stored } = control.dataset;
  control.setAttribute("aria-busy", "true");
  try {
    const now = await post(set, { [field]: valueOf(control), [`was-${field}`]: stored });
    put(control, now[field]);
    control.dataset.stored = valueOf(control);
    say(`Saved: ${control.getAttribute("aria-label")}`);
  } catch (error) {
    const now = error.answer?.now?.[field]; // what a colleague made of it meanwhile
    if (now !== undefined) {
      put(control, now);
      control.dataset.stored = valueOf(control);
    } else put(control, control.type === "checkbox" ? stored === "true" : stored);
    say(error.message, true);
  } finally {
    control.removeAttribute("aria-busy");
  }
});

/* Errors of the filters, which load when they open. */
for (const kind of ["htmx:responseError", "htmx:sendError"]) {
  document.body.addEventListener(kind, ({ detail }) => {
    const sentence = wordsOf(detail.xhr.status, detail.xhr.responseText);
    detail.elt.textContent = sentence;
    say(sentence, true);
  });
}
