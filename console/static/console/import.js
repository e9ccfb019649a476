/* The file stays chosen between its check and its import: the form is sent without leaving the page. */

import { say, wordsOf } from "./requests.js";

const form = document.getElementById("import");
const chooser = document.getElementById("file");

// unfold's own script would look for the text field of its file widget.
chooser.hasChangeListener = true;

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = event.submitter;
  for (const one of form.querySelectorAll("button")) one.disabled = true;
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
    say(unread ? "The file could not be read; it may have changed. Choose it again." : error.message, true);
  } finally {
    for (const one of form.querySelectorAll("button")) one.disabled = false;
  }
});

/* What was checked is no longer what is chosen. */
chooser.addEventListener("change", () => {
  form.querySelector("[name=checked]").value = "";
  form.querySelector("button[name=store]")?.remove();
});
