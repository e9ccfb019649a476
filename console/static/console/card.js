/* Updates the preview card while somebody types in a design's form. */

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
