/* The queue of approvals. Decisions are sent in the background, one after the other: a key always means the person
   who is current when it is typed, and undoing brings its person back at once. */

import { post, say } from "./requests.js";

const queue = document.querySelector("[data-queue]");
const list = queue.querySelector(".gallery-people");
const bulk = queue.querySelector("[data-bulk]");
const FEW = 10; // people left on the page when it looks for more

let total = Number(queue.dataset.count);
let current = null;
let last = Promise.resolve();
let held = null; // keys that wait for the person whom an undo brings back
// The own decisions that stand, newest first: {ids, taken, sent, decidedAt, item, failed}
const decisions = [];

/** Do a job after those before it, whether or not they failed. */
function line(job) {
  last = last.then(job, job);
}

const people = () => [...list.querySelectorAll("[data-person]")];
const personOf = (id) => document.getElementById(`user-${id}`);
const idOf = (person) => person.id.replace("user-", "");
const boxes = () => people().map((person) => person.querySelector("input[type=checkbox]"));

function goTo(person, focus = true) {
  if (!person) return;
  current = person;
  for (const other of people()) other.setAttribute("aria-current", String(other === person));
  if (!focus) return;
  person.focus({ preventScroll: true });
  person.scrollIntoView({ block: "nearest" });
}

function step(by) {
  const all = people();
  goTo(all[Math.min(Math.max(all.indexOf(current) + by, 0), all.length - 1)]);
}

/** Show or hide the reason of a Reject button, and close the others. */
function toggleReason(button, open = button.getAttribute("aria-expanded") !== "true") {
  for (const other of queue.querySelectorAll("[data-reject]")) {
    const shown = other === button && open;
    other.setAttribute("aria-expanded", String(shown));
    document.getElementById(other.getAttribute("aria-controls")).hidden = !shown;
  }
  if (open) queue.querySelector(`#${button.getAttribute("aria-controls")} input[name=reason]`).focus();
}

function closeReason(place) {
  toggleReason(queue.querySelector(`[aria-controls="${place.id}"]`), false);
  goTo(current);
}

function show() {
  const all = boxes();
  const count = all.filter((box) => box.checked).length;
  bulk.querySelector("[data-chosen]").textContent = count ? `${count} selected` : "No one selected";
  bulk.querySelector("[data-all]").checked = all.length > 0 && count === all.length;
  for (const button of bulk.querySelectorAll("button:not([data-remembered], [data-cancel])")) button.disabled = count === 0;
  if (count === 0) toggleReason(bulk.querySelector("[data-reject]"), false);
  queue.querySelector("[data-someone]").hidden = all.length === 0;
  queue.querySelector("[data-no-one]").hidden = all.length > 0 || total > 0;
  queue.querySelector("[data-total]").textContent = total;
  queue.querySelector("[data-one]").hidden = total !== 1;
  queue.querySelector("[data-many]").hidden = total === 1;
  queue.querySelector("[data-shown]").textContent = all.length;
  queue.querySelector("[data-more]").hidden = total <= all.length;
  queue.querySelector("[data-decisions]").hidden = !queue.querySelector("[data-decision]");
  for (const badge of document.querySelectorAll(`#nav-sidebar a[href="${location.pathname}"] span`)) {
    if (!/^\s*\d*\s*$/.test(badge.textContent)) continue;
    badge.textContent = total || "";
    badge.hidden = total === 0;
  }
}

/** Take people off the page; each leaves a mark where they were. */
function take(ids) {
  const gone = ids.map(personOf).filter(Boolean);
  const all = people();
  const next = gone.includes(current) ? all.slice(all.indexOf(current)).concat(all.slice(0, all.indexOf(current)).reverse()).find((person) => !gone.includes(person)) : null;
  const taken = gone.map((person) => {
    const mark = document.createComment("");
    person.querySelector("input[type=checkbox]").checked = false;
    person.setAttribute("aria-current", "false");
    person.replaceWith(mark);
    return { person, mark };
  });
  total = Math.max(0, total - ids.length);
  if (gone.includes(current)) {
    current = null;
    goTo(next);
  }
  show();
  return taken;
}

function putBack({ taken, ids }) {
  for (const { person, mark } of taken) mark.replaceWith(person);
  total += ids.length;
  show();
}

function tell(done) {
  const place = queue.querySelector("[data-decided]");
  const words = place.querySelector("[data-words]");
  const label = Object.assign(document.createElement("strong"), { textContent: `${done.label}:` });
  words.replaceChildren(label, ` ${done.users.map((user) => user.username).join(", ")}`, done.note ? ` (${done.note})` : "");
  place.hidden = false;
  place.querySelector("[data-undo]").hidden = !done.decided_at;
  if (done.decided_at) fillUndo(place.querySelector("[data-undo]"), done);
}

function fillUndo(form, done) {
  for (const field of form.querySelectorAll("[name=user], [name=decided_at]")) field.remove();
  const fields = [...done.users.map((user) => ["user", user.id]), ["decided_at", done.decided_at]];
  for (const [name, value] of fields) form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
}

/** A new line of the list of one's own decisions. */
function listDecision(done) {
  const item = document.createElement("li");
  const names = done.users.map((user) => user.username).join(", ");
  const words = document.createElement("p");
  words.append(Object.assign(document.createElement("strong"), { textContent: `${done.label}:` }), ` ${names}`);
  const form = queue.querySelector("[data-decided] [data-undo]").cloneNode(true);
  form.hidden = false;
  fillUndo(form, done);
  form.querySelector("button").setAttribute("aria-label", `Undo: ${done.label.toLowerCase()} ${names}`);
  item.dataset.decision = "";
  item.append(words, form);
  queue.querySelector("[data-decisions] ol").prepend(item);
  return item;
}

/** Offer a reason the next time. */
function remember(reason) {
  for (const place of reason ? queue.querySelectorAll("[data-reason]") : []) {
    let group = place.querySelector(".gallery-remembered");
    if (!group) {
      group = Object.assign(document.createElement("div"), { className: "gallery-remembered", role: "group", ariaLabel: "Recent reasons" });
      place.append(group);
    }
    if ([...group.children].some((chip) => chip.dataset.remembered === reason)) continue;
    const chip = Object.assign(document.createElement("button"), { type: "button", className: "gallery-chip", textContent: reason.slice(0, 60) });
    chip.dataset.remembered = reason;
    group.prepend(chip);
  }
}

function decide(form, fields) {
  const ids = fields.getAll("user");
  if (!ids.length) return;
  toggleReason(bulk.querySelector("[data-reject]"), false);
  form.closest("[data-question]")?.remove();
  const decision = { ids, taken: take(ids), decidedAt: "" };
  decisions.unshift(decision);
  line(async () => {
    try {
      const done = await post(location.pathname, fields);
      decision.decidedAt = done.decided_at;
      if (done.decided_at) decision.item = listDecision(done);
      else decisions.splice(decisions.indexOf(decision), 1);
      remember(fields.get("reason"));
      tell(done);
    } catch (error) {
      decision.failed = true;
      if (decisions.includes(decision)) {
        decisions.splice(decisions.indexOf(decision), 1);
        putBack(decision);
      }
      if (!current) goTo(people()[0]);
      if (error.answer?.can_insist) ask(error.answer, fields);
      say(error.message, true);
    }
    show();
  });
  if (people().length < FEW && total > people().length) line(() => fetchPeople().catch(() => {}));
}

/** Ask beside the person whether a decision stands although a colleague has taken another one. */
function ask(answer, fields) {
  const person = personOf(answer.user) ?? list;
  person.querySelector("[data-question]")?.remove();
  const form = document.createElement("form");
  form.method = "post";
  form.className = "gallery-question";
  form.dataset.question = "";
  const what = fields.get("decision");
  const token = Object.assign(document.createElement("input"), { type: "hidden", name: "csrfmiddlewaretoken", value: fields.get("csrfmiddlewaretoken") });
  form.append(Object.assign(document.createElement("p"), { textContent: answer.message }), token);
  const kept = [...fields].filter(([name]) => !["decision", "csrfmiddlewaretoken"].includes(name));
  for (const [name, value] of [...kept, ["seen", `${answer.user}:${answer.state}`]]) {
    form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
  }
  const insist = Object.assign(document.createElement("button"), {
    className: "gallery-button is-bad",
    name: "decision",
    value: what,
    textContent: `${what === "reject" ? "Reject" : "Approve"} all the same`,
  });
  const leave = Object.assign(document.createElement("button"), { className: "gallery-button", type: "button", textContent: "Leave it" });
  leave.addEventListener("click", () => {
    take([String(answer.user)]); // they do not wait any more
    form.remove();
  });
  form.append(insist, leave);
  person.append(form);
}

function undo(decision) {
  decisions.splice(decisions.indexOf(decision), 1);
  const isHere = decision.taken.length > 0;
  if (isHere) {
    putBack(decision);
    goTo(decision.taken[0].person);
  } else {
    held ??= [];
  }
  line(async () => {
    try {
      if (decision.failed) return;
      const fields = new URLSearchParams(decision.ids.map((id) => ["user", id]));
      fields.append("decision", "undo");
      fields.append("decided_at", decision.decidedAt);
      tell(await post(location.pathname, fields));
      decision.item?.remove();
      if (!isHere) {
        total += decision.ids.length;
        await fetchPeople(decision.ids);
        goTo(personOf(decision.ids[0]));
        release();
      }
    } catch (error) {
      if (isHere) take(decision.ids);
      if (error.answer) decision.item?.remove();
      held = null; // they meant a person who is not here
      say(error.message, true);
    }
    show();
  });
}

/** Add those who wait and are not on the page yet, or these people, in the order of the queue. */
async function fetchPeople(ids = []) {
  const query = new URLSearchParams(ids.map((id) => ["user", id]));
  if (ids.length) query.append("decision", "undo");
  const answer = await fetch(`${location.pathname}?${query}`);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const gone = new Set(decisions.flatMap((decision) => decision.taken.map(({ person }) => person.id)));
  const found = [...page.querySelectorAll("[data-person]")];
  for (const person of found.reverse()) {
    if (gone.has(person.id) || document.getElementById(person.id)) continue;
    for (const place of person.querySelectorAll("[data-reason]")) place.hidden = true;
    person.setAttribute("aria-current", "false");
    const next = found.slice(0, found.indexOf(person)).reverse().map((other) => document.getElementById(other.id)).find(Boolean);
    list.insertBefore(document.adoptNode(person), next ?? null);
  }
  if (!current) goTo(people()[0]);
  show();
}

const KEYS = {
  j: () => step(1),
  k: () => step(-1),
  a: () => current?.querySelector("[value=approve]").click(),
  r: () => current && toggleReason(current.querySelector("[data-reject]"), true),
  x: () => current?.querySelector("input[type=checkbox]").click(),
  u: () => decisions.length && undo(decisions[0]),
  "?": () => queue.querySelector(".gallery-help").showModal(),
};

function press(key) {
  if (held) held.push(key);
  else KEYS[key]?.();
}

/** Type the keys that waited. After r the rest is a reason. */
function release() {
  const keys = held ?? [];
  held = null;
  for (const key of keys) {
    const field = document.activeElement.closest("[data-reason] input[name=reason]");
    if (!field) press(key);
    else if (key === "Enter") field.closest("[data-reason]").querySelector("[value=reject]").click();
    else if (key.length === 1) field.value += key;
  }
}

for (const place of queue.querySelectorAll("[data-reason]")) place.hidden = true;
for (const item of queue.querySelectorAll("[data-decision]")) {
  const fields = new FormData(item.querySelector("form"));
  decisions.push({ ids: fields.getAll("user"), taken: [], decidedAt: fields.get("decided_at"), item });
}

queue.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return; // that of the dialog
  event.preventDefault();
  const fields = new FormData(form);
  fields.append("decision", event.submitter.value);
  if (event.submitter.value !== "undo") {
    decide(form, fields);
    return;
  }
  const decidedAt = fields.get("decided_at");
  undo(decisions.find((decision) => decision.decidedAt === decidedAt) ?? { ids: fields.getAll("user"), taken: [], decidedAt });
});

queue.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.matches("[data-reject]")) toggleReason(button);
  if (button?.matches("[data-help]")) KEYS["?"]();
  if (button?.matches("[data-cancel]")) closeReason(button.closest("[data-reason]"));
  if (button?.matches("[data-remembered]")) {
    const field = button.closest("[data-reason]").querySelector("input[name=reason]");
    field.value = button.dataset.remembered;
    field.focus();
  }
});

queue.addEventListener("change", (event) => {
  if (event.target.matches("[data-all]")) {
    for (const box of boxes()) box.checked = event.target.checked;
  }
  show();
});

queue.addEventListener("focusin", (event) => {
  const person = event.target.closest("[data-person]");
  if (person) goTo(person, false);
});

document.addEventListener("keydown", (event) => {
  const field = event.target.closest("input:not([type=checkbox]), textarea, select");
  const reason = field?.closest("[data-reason]");
  if (event.key === "Escape" && reason) {
    closeReason(reason);
    return;
  }
  if (reason && event.key === "Enter") {
    event.preventDefault(); // Enter would press the form's first button
    reason.querySelector("[value=reject]").click();
    return;
  }
  if (field || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (held ? event.key.length > 1 && event.key !== "Enter" : !KEYS[event.key]) return;
  event.preventDefault();
  if (!event.repeat || "jk".includes(event.key)) press(event.key);
});

show();
goTo(people().find((person) => `#${person.id}` === location.hash) ?? people().find((person) => person.ariaCurrent === "true"), Boolean(location.hash));
document.removeEventListener("keydown", globalThis.keepEarlyKey);
held = globalThis.earlyKeys.splice(0);
release();
