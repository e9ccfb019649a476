/* Requests that the gallery's pages send without leaving the page, and messages about them. */

const ENDED = "Your session has ended. Sign in again in another tab, then try again.";

const OPEN = "/admin/sessions/open/"; // console/accounts/own_sessions.py
const PATIENCE = 10_000; // ms

/**
 * The token that Django requires in every POST. That of the cookie is newer than the page's own
 * once somebody has signed in again in another tab.
 */
export function csrfToken() {
  const cookie = document.cookie.match(/(?:^|; )csrftoken=([^;]+)/);
  return cookie ? cookie[1] : document.querySelector("input[name=csrfmiddlewaretoken]").value;
}

/** What keeps the server from taking a form now, as an Error for people; null if nothing does. */
export async function obstacle() {
  try {
    const answer = await fetch(OPEN, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
    if (answer.ok && !answer.redirected) return null;
    const error = new Error(wordsOf(answer.status, "", answer.redirected));
    error.isSessionEnded = error.message === ENDED;
    return error;
  } catch {
    return new Error(wordsOf(0, ""));
  }
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

/** Show a message, also to screen readers, for some seconds or until the next one. Returns its place. */
export function say(sentence, isError = false, seconds = isError ? 10 : 3) {
  let place = document.getElementById("gallery-said");
  if (!place) {
    place = document.createElement("p");
    place.id = "gallery-said";
    place.setAttribute("role", "status");
    document.body.append(place);
  }
  place.classList.toggle("is-error", isError);
  place.classList.toggle("is-lasting", seconds === Infinity);
  place.textContent = sentence;
  clearTimeout(say.timer);
  if (seconds !== Infinity) say.timer = setTimeout(() => (place.textContent = ""), seconds * 1000);
  return place;
}
