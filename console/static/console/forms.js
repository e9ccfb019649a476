/* Forms: unsaved work is guarded, a new picture is shown before it is saved, Ctrl-S or Cmd-S saves. */

const form = document.querySelector("form[data-form], .change-form #content-main form[id$='_form']");

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
  let isLeaving = false;

  form.addEventListener("submit", (event) => (isLeaving = !event.submitter?.hasAttribute("formaction"))); // others do not save
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
