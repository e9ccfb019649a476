/* Files that somebody drops on a page, and the images that are nearly the same as one that was sent. */

/** Take the files that are dropped on an element, which shows while they are over it. */
export function takeDropped(drop, take) {
  for (const kind of ["dragenter", "dragover"]) {
    drop.addEventListener(kind, (event) => {
      event.preventDefault();
      drop.classList.add("is-over");
    });
  }
  for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.classList.remove("is-over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    take([...event.dataTransfer.files]);
  });
}

/** Show a warning with a link to each near duplicate. Attributes of the links may be given. */
export function showNearDuplicates(warning, nearDuplicates, attributes = {}) {
  warning.hidden = !nearDuplicates.length;
  for (const image of nearDuplicates) {
    const picture = Object.assign(document.createElement("img"), { src: image.picture, alt: "" });
    const link = Object.assign(document.createElement("a"), { href: image.url, ...attributes });
    link.append(picture, ` ${image.title}`);
    warning.querySelector("ul").append(document.createElement("li"));
    warning.querySelector("li:last-child").append(link);
  }
}
