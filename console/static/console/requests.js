/* Requests that the gallery's pages send without leaving the page, and messages about them. */

const ENDED = "Your session has ended. Sign in again in another tab, then try again.";

/** The token that Django requires in every POST, from a form of the page. */
export function csrfToken() {
  return document.querySelector("input[name=csrfmiddlewaretoken]").value;
}

/** A sentence for people about a response that is an error. */
export function wordsOf(status, text, redirected) {
  if (redirected || status === 401) return ENDED;
  if (status === 403) return "You are not allowed to do this, or your session has ended.";
  try {
    return JSON.parse(text).message;
  } catch {
    return status ? `The server failed (${status}). Please try again.` : "The server did not respond. Check your network.";
  }
}

/**
 * POST fields and return the response as an object, even if the page is left meanwhile.
 * Throws an Error whose message is for people, with the server's `answer` if that is a conflict.
 */
export async function post(url, fields) {
  let answer;
  try {
    answer = await fetch(url, {
      method: "POST",
      body: new URLSearchParams(fields),
      headers: { Accept: "application/json", "X-CSRFToken": csrfToken() },
      keepalive: true,
    });
  } catch {
    throw new Error(wordsOf(0, ""));
  }
  const text = await answer.text();
  if (answer.ok && !answer.redirected) return JSON.parse(text);
  const error = new Error(wordsOf(answer.status, text, answer.redirected));
  if (answer.status === 409) error.answer = JSON.parse(text);
  throw error;
}

/** Show a message, also to screen readers. */
export function say(sentence, isError = false) {
  let place = document.getElementById("gallery-said");
  if (!place) {
    place = document.createElement("p");
    place.id = "gallery-said";
    place.setAttribute("role", "status");
    document.body.append(place);
  }
  place.classList.toggle("is-error", isError);
  place.textContent = sentence;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => (place.textContent = ""), isError ? 10000 : 3000);
}
