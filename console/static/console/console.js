/* unfold opens some parts with icons that only a mouse can reach. This makes them buttons. */

const NAMES = { dock_to_right: "Sidebar", close: "Close the sidebar", unfold_more: "Account and theme", computer: "Theme" };

// Elements that the keyboard reaches already, and the backdrop of the filters, which Escape closes.
const REACHABLE = "button, input, label, a[href], #changelist-filter-close";

document.addEventListener("DOMContentLoaded", () => {
  for (const part of document.querySelectorAll(`[x-on\\:click]:not(${REACHABLE})`)) {
    part.setAttribute("role", "button");
    part.tabIndex = 0;
    const icon = part.querySelector(".material-symbols-outlined:last-child") ?? part;
    const name = NAMES[icon.textContent.trim()];
    if (name && !part.ariaLabel) part.ariaLabel = name;
  }
});

document.addEventListener("keydown", (event) => {
  if (!event.target.matches?.("[role=button][x-on\\:click]") || !["Enter", " "].includes(event.key)) return;
  event.preventDefault();
  event.target.click();
});
