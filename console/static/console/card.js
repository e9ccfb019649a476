/* The card of the app follows what is typed into the form of a design. */

document.addEventListener("input", (event) => {
  for (const place of document.querySelectorAll(`[data-card="${CSS.escape(event.target.name)}"]`)) {
    place.textContent = event.target.value;
  }
  if (event.target.name === "featured") {
    for (const badge of document.querySelectorAll("[data-card-featured]")) {
      badge.hidden = !event.target.checked;
    }
  }
});
