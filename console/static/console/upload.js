/* Many images at once: each becomes a draft. Two are sent at a time, each in its own request. */

import { showNearDuplicates, takeDropped } from "./files.js";
import { csrfToken, say, wordsOf } from "./requests.js";
import "./in_place.js";

const AT_ONCE = 2;

const form = document.getElementById("upload");
const drop = document.getElementById("drop");
const chooser = document.getElementById("files");
const types = chooser.accept.split(",");
const list = document.getElementById("uploads");
const template = document.getElementById("upload-row");
const maxSize = Number(form.dataset.maxSize);
const waiting = [];
const counts = { all: 0, done: 0, failed: 0 };
let running = 0;

// Keeps unfold's script away, which expects its own file widget.
chooser.hasChangeListener = true;

function add(files) {
  if (!form.reportValidity()) return;
  for (const file of files) {
    const row = template.content.firstElementChild.cloneNode(true);
    row.querySelector(".gallery-upload-name").textContent = file.name;
    list.append(row);
    counts.all += 1;
    const fault = faultOf(file);
    if (fault) failed(row, fault);
    else wait(file, row);
  }
  next();
}

/** What is wrong with a file, as far as the browser can know; the server checks its content. */
function faultOf(file) {
  if (file.size > maxSize) return `It is larger than ${Math.floor(maxSize / 1048576)} MB.`;
  if (file.type && !types.includes(file.type)) return "Only JPEG, PNG, WebP, HEIC and AVIF images are accepted.";
  return "";
}

function wait(file, row) {
  showState(row, "Waiting");
  waiting.push({ file, row });
}

function next() {
  while (running < AT_ONCE && waiting.length) {
    running += 1;
    send(waiting.shift());
  }
  summarise();
}

function send({ file, row }) {
  const request = new XMLHttpRequest();
  const bar = row.querySelector("progress");
  request.upload.addEventListener("progress", (event) => {
    if (event.lengthComputable) bar.value = (100 * event.loaded) / event.total;
  });
  request.upload.addEventListener("load", () => showState(row, "Checking the picture…"));
  request.addEventListener("loadend", () => {
    running -= 1;
    if (request.status === 201) done(row, JSON.parse(request.responseText));
    else {
      const redirected = request.responseURL !== "" && new URL(request.responseURL).pathname !== form.dataset.url;
      const isWorthAnotherTry = request.status === 0 || request.status >= 500 || request.status === 403 || redirected;
      failed(row, wordsOf(request.status, request.responseText, redirected), isWorthAnotherTry && file);
    }
    next();
  });
  showState(row, "Uploading…");
  request.open("POST", form.dataset.url);
  request.setRequestHeader("X-CSRFToken", csrfToken());
  const fields = new FormData(form);
  fields.append("file", file);
  request.send(fields);
}

function done(row, draft) {
  counts.done += 1;
  row.dataset.state = "done";
  row.querySelector("progress").remove();
  showState(row, "Draft created");
  const picture = row.querySelector(".gallery-upload-picture img");
  picture.src = draft.picture;
  picture.hidden = false;
  const title = row.querySelector(".gallery-upload-title input");
  title.value = title.dataset.stored = draft.title;
  title.dataset.set = draft.set_url;
  title.setAttribute("aria-label", `Title of ${row.querySelector(".gallery-upload-name").textContent}`);
  title.parentElement.hidden = false;
  const link = row.querySelector(".gallery-upload-links a");
  link.href = draft.url;
  link.hidden = false;
  showNearDuplicates(row.querySelector(".gallery-warning"), draft.near_duplicates);
}

function failed(row, sentence, file) {
  counts.failed += 1;
  row.dataset.state = "failed";
  row.querySelector("progress").hidden = true;
  showState(row, sentence);
  if (!file) return;
  const again = row.querySelector("button");
  again.hidden = false;
  again.onclick = () => {
    counts.failed -= 1;
    again.hidden = true;
    delete row.dataset.state;
    Object.assign(row.querySelector("progress"), { hidden: false, value: 0 });
    wait(file, row);
    next();
  };
}

function showState(row, sentence) {
  row.querySelector(".gallery-upload-state").textContent = sentence;
}

function summarise() {
  const { all, done, failed } = counts;
  const parts = [`${done} of ${all} uploaded`];
  if (failed) parts.push(`${failed} failed`);
  document.getElementById("summary").textContent = all ? `${parts.join(", ")}.` : "";
  const isOver = all > 0 && done + failed === all;
  document.getElementById("done").hidden = !isOver || !done;
  if (isOver) say(`${parts.join(", ")}.`, failed > 0);
}

form.addEventListener("submit", (event) => event.preventDefault());
chooser.addEventListener("change", () => {
  add([...chooser.files]);
  chooser.value = "";
});
takeDropped(drop, add);
window.addEventListener("beforeunload", (event) => {
  if (running || waiting.length) event.preventDefault();
});
