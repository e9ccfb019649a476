/* Sends the form without leaving the page, so that the file stays selected between its check and its import. */

import { say, wordsOf } from "./requests.js";

const form = document.getElementById("import");
const chooser = document.getElementById("file");

// Keeps unfold's script away, which expects its own file widget.
chooser.hasChangeListener = true;

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = event.submitter;
  for (const other of form.querySelectorAll("button")) other.disabled = true;
  const fields = new FormData(form);
  fields.append(button.name, button.value);
  try {
    const answer = await fetch(form.action, { method: "POST", body: fields });
    const text = await answer.text();
    if (!answer.ok || answer.redirected) throw new Error(wordsOf(answer.status, text, answer.redirected));
    const page = new DOMParser().parseFromString(text, "text/html");
    document.getElementById("results").replaceWith(page.getElementById("results"));
  } catch (error) {
    const unread = error instanceof TypeError;
    say(unread ? "The file could not be read. It may have changed. Choose it again." : error.message, true);
  } finally {
    for (const other of form.querySelectorAll("button")) other.disabled = false;
  }
});

/* Another file has to be checked again. */
chooser.addEventListener("change", () => {
  form.querySelector("[name=checked]").value = "";
  form.querySelector("button[name=store]")?.remove();
});
