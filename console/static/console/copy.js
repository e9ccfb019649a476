/* Buttons that copy the text of an element. */

import { say } from "./requests.js";

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = !navigator.clipboard; // a page without TLS has none
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
      say("Copied.");
    } catch {
      say("The browser does not let this page copy. Select the code and copy it.", true);
    }
  });
}
