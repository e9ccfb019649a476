/* Keeps the keys that are typed once the page shows who is current and before its script runs. */

globalThis.earlyKeys = [];
globalThis.keepEarlyKey = (event) => {
  const isForThePage = !event.ctrlKey && !event.metaKey && !event.altKey && !event.target.closest?.("input, textarea, select");
  if (isForThePage && document.querySelector("[data-person][aria-current=true]")) globalThis.earlyKeys.push(event.key);
};
document.addEventListener("keydown", globalThis.keepEarlyKey);
