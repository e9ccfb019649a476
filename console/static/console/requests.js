/* What the gallery's pages send without leaving the page. */

const ENDED = "Your session has ended. Sign in again in another tab, then try once more.";

/** The token that Django asks of every POST; each page has a form with one. */
export function csrfToken() {
  return document.querySelector("input[name=csrfmiddlewaretoken]").value;
}

/** What an answer says to a person when it is not what was hoped for. */
export function wordsOf(status, text, redirected) {
  if (redirected || status === 401) return ENDED;
  if (status === 403) return "You may not do this, or your session has ended.";
  try {
    return JSON.parse(text).message;
  } catch {
    return status ? `The server could not do it (${status}). Please try again.` : "No answer. Is the network there?";
  }
}

/** POST fields; the answer as an object. Throws an Error whose message is for a person. */
export async function post(url, fields) {
  let answer;
  try {
    answer = await fetch(url, {
      method: "POST",
      body: new URLSearchParams(fields),
      headers: { "X-CSRFToken": csrfToken() },
    });
  } catch {
    throw new Error(wordsOf(0, ""));
  }
  const text = await answer.text();
  if (!answer.ok || answer.redirected) throw new Error(wordsOf(answer.status, text, answer.redirected));
  return JSON.parse(text);
}

/** Say it to who sees the page and to who hears it. */
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
