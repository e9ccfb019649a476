/* Controls with data-set change one field of a row as soon as they are changed themselves. */

import { post, say } from "./requests.js";

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
    const now = await post(set, { [field]: valueOf(control) });
    put(control, now[field]);
    control.dataset.stored = valueOf(control);
    say(`Saved: ${control.getAttribute("aria-label")}`);
  } catch (error) {
    if (control.type === "checkbox") control.checked = stored === "true";
    else control.value = stored;
    say(error.message, true);
  } finally {
    control.removeAttribute("aria-busy");
  }
});
