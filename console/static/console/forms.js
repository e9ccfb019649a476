/* Forms: unsaved work is guarded, a new picture is shown before it is saved, Ctrl-S or Cmd-S saves. */

import { csrfToken, obstacle, say } from "./requests.js";

const form = document.querySelector("form[data-form], .change-form #content-main form[id$='_form']");

const STOPPED_AFTER = 15_000; // ms after which a form that was sent, and is still here, can be sent again
const SIGN_IN = "/admin/"; // console.middleware

function signInLink() {
  const link = document.createElement("a");
  link.href = SIGN_IN;
  link.target = "_blank";
  link.textContent = "Sign in";
  return link;
}

/** What the form would send. Files count by their names. */
function contents() {
  const fields = [...new FormData(form)].filter(([name]) => name !== "csrfmiddlewaretoken");
  return JSON.stringify(fields.map(([name, value]) => [name, value instanceof File ? value.name : value]));
}

function guard() {
  const buttons = [...document.querySelectorAll(`button[form="${form.id}"], input[form="${form.id}"]`), ...form.elements];
  const saver = (name) => buttons.find((button) => button.name === name);
  // A page that came back with faults or a question holds what is not stored yet.
  const isRefused = form.querySelector(".errornote, .errors, .errorlist, .gallery-conflict") !== null;
  const stored = contents();
  let isLeaving = false; // the form is sent
  let isAsking = false; // the server, whether it can be sent
  let isReady = false; // it can

  /** Send the form if the server can take it. Else the page stays, with all that was typed, and says why. */
  async function send(button) {
    isAsking = true;
    const error = await obstacle();
    isAsking = false;
    if (error) {
      const place = say(`Nothing is saved yet. ${error.message}`, true, Infinity);
      if (error.isSessionEnded) place.append(" ", signInLink());
      return;
    }
    for (const field of document.getElementsByName("csrfmiddlewaretoken")) field.value = csrfToken();
    isReady = true;
    form.requestSubmit(button);
    isReady = false;
  }

  form.addEventListener("submit", (event) => {
    if (event.submitter?.hasAttribute("formaction")) return; // others do not save
    if (isReady) {
      isLeaving = true;
      // A load that its reader stops tells no script.
      setTimeout(() => (isLeaving = false), STOPPED_AFTER);
      return;
    }
    event.preventDefault();
    if (!isAsking && !isLeaving) send(event.submitter); // a second click saves nothing twice
  });
  window.addEventListener("pageshow", () => (isLeaving = false));
  window.addEventListener("beforeunload", (event) => {
    if (!isLeaving && (isRefused || contents() !== stored)) event.preventDefault();
  });

  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.key.toLowerCase() !== "s") return;
    event.preventDefault();
    const button = saver("_continue") ?? saver("_save") ?? form.querySelector("button[type=submit], button:not([type])");
    if (button && !isLeaving && !event.repeat) form.requestSubmit(button);
  });
}

/** Show a chosen picture below its field. */
function preview(field) {
  const place = document.createElement("figure");
  place.className = "gallery-preview";
  place.setAttribute("role", "status");
  const picture = document.createElement("img");
  const words = document.createElement("figcaption");
  let address = "";
  field.addEventListener("change", () => {
    URL.revokeObjectURL(address);
    const [file] = field.files;
    if (!file) {
      place.remove();
      return;
    }
    address = URL.createObjectURL(file);
    picture.alt = `Preview of ${file.name}`;
    picture.hidden = false;
    picture.src = address;
    words.textContent = `${file.name}, not saved yet`;
    place.replaceChildren(picture, words);
    (field.closest(".grow, .field-row, .group") ?? field.parentElement).append(place);
  });
  picture.addEventListener("error", () => {
    picture.hidden = true;
    words.textContent = `${field.files[0]?.name}: this browser cannot show it. It is checked when you save.`;
  });
}

if (form) {
  guard();
  for (const field of form.querySelectorAll("input[type=file]")) preview(field);
}
