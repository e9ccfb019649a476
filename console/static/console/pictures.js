/* The pictures of a design: dragged or moved into order, added, described. They are kept in a hidden text. */

import { showNearDuplicates, takeDropped } from "./files.js";
import { csrfToken, wordsOf } from "./requests.js";

for (const box of document.querySelectorAll("[data-pictures]")) begin(box);

function begin(box) {
  const list = box.querySelector("ol");
  const text = box.querySelector("textarea[hidden]");
  const files = box.querySelector("input[type=file]");
  const drop = box.querySelector("[data-drop]");
  const dialog = box.querySelector("dialog");
  const form = box.closest("form");
  const most = Number(box.dataset.most);
  const rows = () => [...list.querySelectorAll(":scope > li")];
  let sending = Promise.resolve();
  let unsent = 0; // files
  let saver; // the button that was pressed while files were sent

  // Keeps unfold's script away, which expects its own file widget.
  files.hasChangeListener = true;

  function say(sentence) {
    box.querySelector("[data-said]").textContent = sentence;
  }

  /** Show the cover on the card, too (card.html). */
  function showCover() {
    const shown = document.querySelector(".gallery-cards figure:last-child .gallery-card-picture img");
    const cover = list.querySelector("img");
    if (shown && cover && text.value !== text.defaultValue) shown.src = cover.src;
  }

  /** Number the pictures, and write them as designs/pictures.py reads them: alternative texts continue after a space. */
  function keep() {
    rows().forEach((row, index, all) => {
      row.querySelector("[data-place]").textContent = index ? index + 1 : "Cover";
      row.querySelector("[data-alt]").setAttribute("aria-label", `Alternative text of picture ${index + 1}`);
      const [earlier, later] = row.querySelectorAll("[data-move]");
      earlier.disabled = index === 0;
      later.disabled = index === all.length - 1;
      for (const [button, what] of [[earlier, "earlier"], [later, "later"]]) button.ariaLabel = `Move picture ${index + 1} ${what}`;
      row.querySelector("[data-remove]").ariaLabel = `Remove picture ${index + 1}`;
    });
    const lines = rows().map((row) => `${row.dataset.key} ${row.querySelector("[data-alt]").value.trim()}`.trim());
    const value = lines.map((line) => line.replace(/\r?\n/g, "\n ")).join("\n");
    if (value === text.value.replace(/\r\n/g, "\n")) return;
    text.value = value;
    showCover();
    text.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function add({ object_key: key, picture, near_duplicates: nearDuplicates = [] }) {
    if (rows().some((row) => row.dataset.key === key)) return say("The design shows this picture already.");
    if (rows().length >= most) return say(`A design has at most ${most} pictures.`);
    const row = box.querySelector("template").content.firstElementChild.cloneNode(true);
    row.dataset.key = key;
    row.querySelector("img").src = picture;
    showNearDuplicates(row.querySelector("[data-twins]"), nearDuplicates, { target: "_blank" });
    list.append(row);
    say(`Picture ${rows().length} is added. Save the design to keep it.`);
  }

  async function send(file) {
    if (rows().length >= most) return say(`${file.name} is left out: a design has at most ${most} pictures.`);
    if (file.size > Number(box.dataset.maxSize)) return say(`${file.name} is too large.`);
    say(`${file.name} is being uploaded…`);
    box.setAttribute("aria-busy", "true");
    const fields = new FormData();
    fields.append("file", file);
    try {
      const answer = await fetch(box.dataset.url, { method: "POST", body: fields, headers: { "X-CSRFToken": csrfToken() } });
      const words = await answer.text();
      if (answer.status === 201) add(JSON.parse(words));
      else fail(file, wordsOf(answer.status, words, answer.redirected));
    } catch {
      fail(file, wordsOf(0, ""));
    } finally {
      box.removeAttribute("aria-busy");
    }
  }

  /** Say it, and leave the form open to read it. */
  function fail(file, sentence) {
    say(`${file.name}: ${sentence}${saver === undefined ? "" : " The design is not saved."}`);
    saver = undefined;
  }

  function sendAll(chosen) {
    for (const file of chosen) {
      unsent += 1;
      sending = sending.then(() => send(file)).finally(() => (unsent -= 1));
    }
    sending.then(() => {
      const button = saver;
      if (unsent || button === undefined) return;
      saver = undefined;
      form.requestSubmit(button);
    });
  }

  async function showChoices(page) {
    const place = box.querySelector("[data-choices]");
    try {
      const answer = await fetch(`${box.dataset.url}?page=${page}`);
      const words = await answer.text();
      if (answer.ok && !answer.redirected) place.innerHTML = words;
      else place.textContent = wordsOf(answer.status, words, answer.redirected);
    } catch {
      place.textContent = wordsOf(0, "");
    }
  }

  box.addEventListener("click", async ({ target }) => {
    const row = target.closest("li.gallery-picture");
    const button = target.closest("button");
    if (!button) return;
    const { move, remove, choose, close, page, key, picture } = button.dataset;
    if (move) {
      const other = move < 0 ? row.previousElementSibling : row.nextElementSibling;
      if (move < 0) other.before(row);
      else other.after(row);
      keep();
      const next = button.disabled ? row.querySelector("[data-move]:not(:disabled)") : button;
      next?.focus();
      say(`It is picture ${rows().indexOf(row) + 1} of ${rows().length} now.`);
    } else if (remove !== undefined) {
      const near = row.nextElementSibling ?? row.previousElementSibling;
      row.remove();
      (near?.querySelector("[data-remove]") ?? files).focus();
      say("The picture is taken out. Save the design to keep that; the image stays stored.");
    } else if (choose !== undefined) {
      await showChoices(1);
      dialog.showModal();
    } else if (close !== undefined) dialog.close();
    else if (page) await showChoices(page);
    else if (key) {
      dialog.close();
      add({ object_key: key, picture });
    }
  });

  // Saved while files are sent, the form waits for them. Before the script of forms, which would think it is gone.
  const waits = (event) => {
    if (!unsent) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    saver = event.submitter;
    say("The design is saved once its pictures are uploaded…");
  };
  form.addEventListener("submit", waits, { capture: true });
  window.addEventListener("beforeunload", (event) => unsent && event.preventDefault());

  list.addEventListener("input", keep);
  // However the order changes: x-sort (SortableJS, which unfold brings) moves the elements itself.
  new MutationObserver(keep).observe(list, { childList: true });
  // Before any other script that listens for files of a form: these are stored at once.
  const take = (event) => {
    event.stopImmediatePropagation();
    sendAll([...files.files]);
    files.value = "";
  };
  files.addEventListener("change", take, { capture: true });
  takeDropped(drop, sendAll);
  keep();
}
