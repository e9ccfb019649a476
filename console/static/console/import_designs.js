/* Sends a table and its pictures in parts, then asks for one step of the import after the other.

   The server keeps the files and how far it came, so the page goes on where it was after a reload. */

import { csrfToken, say, wordsOf } from "./requests.js";

const WAITS = [1, 2, 4, 8, 16, 32]; // seconds before a request is sent again
const form = document.getElementById("import");
const table = document.getElementById("table");
const pictures = document.getElementById("pictures");
const progress = document.getElementById("progress");
const bar = progress.querySelector("progress");
const told = document.getElementById("progress-text");
const pause = progress.querySelector("[data-pause]");
let isPaused = false;

// Keeps unfold's script away, which expects its own file widget.
table.hasChangeListener = pictures.hasChangeListener = true;

const results = () => document.getElementById("results");
const seconds = (count) => new Promise((resolve) => setTimeout(resolve, count * 1000));

function show(text, done, total) {
  progress.hidden = false;
  told.textContent = text;
  if (total) {
    bar.max = total;
    bar.value = done;
  } else {
    bar.removeAttribute("value");
  }
}

/** POST fields; send them again while the server or the network is away. Throws an Error for people. */
async function call(url, fields) {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  for (const wait of [...WAITS, null]) {
    let answer;
    let text = "";
    try {
      answer = await fetch(url, { method: "POST", body, headers: { "X-CSRFToken": csrfToken() } });
      text = await answer.text();
      if (answer.ok && !answer.redirected) return JSON.parse(text);
    } catch {
      answer = { status: 0 };
    }
    const isAway = answer.status === 0 || answer.status === 429 || answer.status >= 500;
    if (!isAway || wait === null) throw new Error(wordsOf(answer.status, text, answer.redirected));
    say(`${wordsOf(answer.status, text)} Trying again in ${wait} s.`, true);
    await seconds(wait);
    say("");
  }
}

/** Send a file in parts, each of which may come twice. Return the place of the import. */
async function send(file, kind, name) {
  const size = Number(form.dataset.part);
  let place = "";
  for (let offset = 0; offset === 0 || offset < file.size; offset += size) {
    show(`Sending ${name}`, offset, file.size);
    const data = await readable(file.slice(offset, offset + size));
    ({ place } = await call(form.dataset.send, { file: kind, name: file.name, offset, size: file.size, data }));
  }
  return place;
}

/** The bytes of a part, read now: a file that has changed since it was chosen is no failure of the network. */
async function readable(part) {
  try {
    return new Blob([await part.arrayBuffer()]);
  } catch {
    throw new Error("The file could not be read. It may have changed. Choose it again.");
  }
}

/** Take steps until the phase ends, the first one with these fields. */
async function run(place, fields = {}) {
  let state = { place, is_running: true };
  show("Working on the rows");
  while (state.is_running && !isPaused) {
    state = await call(form.dataset.step, { ...fields, place: state.place });
    fields = {};
    const verb = state.phase === "storing" || state.phase === "stored" ? "Imported" : "Checked";
    if (state.total) show(`${verb}: ${state.done} of ${state.total} rows`, state.done, state.total);
    else show("Reading the file");
  }
  if (isPaused) return;
  await refresh();
}

/** Show the results as the server has them. */
async function refresh() {
  const answer = await fetch(window.location.pathname);
  const text = await answer.text();
  if (!answer.ok || answer.redirected) throw new Error(wordsOf(answer.status, text, answer.redirected));
  results().replaceWith(new DOMParser().parseFromString(text, "text/html").getElementById("results"));
  progress.hidden = true;
  results().focus({ preventScroll: true });
}

/** Do some work with the other buttons disabled; say what went wrong, and offer to go on. */
async function work(task) {
  const buttons = () => form.querySelectorAll("button:not([data-pause])");
  isPaused = false;
  pause.textContent = "Pause";
  for (const button of buttons()) button.disabled = true;
  form.ariaBusy = "true";
  try {
    await task();
  } catch (error) {
    say(error.message, true);
    isPaused = true;
  } finally {
    for (const button of buttons()) button.disabled = false;
    form.ariaBusy = "false";
    if (isPaused) pause.textContent = "Continue";
  }
}

/** Go on from where the server is. */
async function resume() {
  await refresh();
  if (results().dataset.running === "true") await run(results().dataset.place);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  results().replaceChildren();
  work(async () => {
    let place = await send(table.files[0], "table", "the table");
    if (pictures.files[0]) place = await send(pictures.files[0], "pictures", "the pictures");
    await run(place, { begin: "read" });
  });
});

form.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.begin) {
    const order = form.querySelector("[name=order]:checked")?.value ?? "";
    const encoding = button.dataset.begin === "read" ? form.querySelector("[name=encoding]").value : "";
    work(() => run(results().dataset.place, { begin: button.dataset.begin, order, encoding }));
  } else if ("forget" in button.dataset) {
    work(async () => {
      await call(form.dataset.forget, {});
      form.reset();
      await refresh();
      table.focus();
    });
  } else if ("pause" in button.dataset) {
    if (isPaused) work(resume);
    else {
      isPaused = true;
      button.textContent = "Continue";
    }
  }
});

/* Another file has to be checked again. */
table.addEventListener("change", () => {
  for (const button of results().querySelectorAll("[data-begin]")) button.remove();
});

if (results().dataset.running === "true") work(() => run(results().dataset.place));
