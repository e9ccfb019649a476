/* The queue of approvals: reasons that open in place, the selection, and keyboard shortcuts. */

const people = [...document.querySelectorAll("[data-person]")];
let current = Math.max(0, people.findIndex((person) => `#${person.id}` === location.hash));

function goTo(index, focus = true) {
  if (!people.length) return;
  current = Math.min(Math.max(index, 0), people.length - 1);
  for (const person of people) person.setAttribute("aria-current", String(person === people[current]));
  if (!focus) return;
  people[current].focus({ preventScroll: true });
  people[current].scrollIntoView({ block: "nearest" });
}

/** Show or hide the reason of a Reject button, and close the others. */
function toggleReason(button, open = button.getAttribute("aria-expanded") !== "true") {
  for (const other of document.querySelectorAll("[data-reject]")) {
    const shown = other === button && open;
    other.setAttribute("aria-expanded", String(shown));
    document.getElementById(other.getAttribute("aria-controls")).hidden = !shown;
  }
  if (open) document.querySelector(`#${button.getAttribute("aria-controls")} input[name=reason]`).focus();
}

function showSelection() {
  const boxes = people.map((person) => person.querySelector("input[type=checkbox]"));
  const count = boxes.filter((box) => box.checked).length;
  const bulk = document.querySelector("[data-bulk]");
  bulk.querySelector("[data-chosen]").textContent = count ? `${count} selected` : "No one selected";
  bulk.querySelector("[data-all]").checked = count === boxes.length;
  for (const button of bulk.querySelectorAll("button:not([data-remembered])")) button.disabled = count === 0;
  if (count === 0) toggleReason(bulk.querySelector("[data-reject]"), false);
}

const KEYS = {
  j: () => goTo(current + 1),
  k: () => goTo(current - 1),
  a: () => people[current]?.querySelector("[value=approve]").click(),
  r: () => people[current] && toggleReason(people[current].querySelector("[data-reject]"), true),
  x: () => people[current]?.querySelector("input[type=checkbox]").click(),
  u: () => document.querySelector("[data-key=u]")?.click(),
  "?": () => document.querySelector(".gallery-help")?.showModal(),
};

for (const place of document.querySelectorAll("[data-reason]")) place.hidden = true;

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.matches("[data-reject]")) toggleReason(button);
  if (button?.matches("[data-help]")) KEYS["?"]();
  if (button?.matches("[data-remembered]")) {
    const field = button.closest("[data-reason]").querySelector("input[name=reason]");
    field.value = button.dataset.remembered;
    field.focus();
  }
});

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-all]")) {
    for (const person of people) person.querySelector("input[type=checkbox]").checked = event.target.checked;
  }
  showSelection();
});

document.addEventListener("focusin", (event) => {
  const person = event.target.closest("[data-person]");
  if (person) goTo(people.indexOf(person), false);
});

document.addEventListener("keydown", (event) => {
  const field = event.target.closest("input:not([type=checkbox]), textarea, select");
  if (event.key === "Escape" && field?.closest("[data-reason]")) {
    toggleReason(document.querySelector(`[aria-controls="${field.closest("[data-reason]").id}"]`), false);
    goTo(current);
    return;
  }
  if (field && event.key === "Enter" && field.closest("[data-reason]")) {
    event.preventDefault(); // Enter would press the form's first button
    field.closest("[data-reason]").querySelector("[value=reject]").click();
    return;
  }
  if (field || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const act = KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

if (people.length) {
  showSelection();
  goTo(current, Boolean(location.hash));
}
