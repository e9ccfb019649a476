"""The triggers that note the last sign-in of a user, and forget guesses.

The first is a trigger because one statement stores a sign-in and its outcome decides (accounts.sessions); the second
because a guess is stored in the one round trip that checks it (accounts.guesses). It runs for one new row of 64: an
index of the moments would be one more row to write for each guess.
"""

TRIGGERS = {
    "users_last_login": (
        "CREATE TRIGGER users_last_login AFTER INSERT ON sign_ins BEGIN "
        "UPDATE users SET last_login = new.created_at WHERE id = new.user_id; END"
    ),
    "guesses_forgotten": (
        "CREATE TRIGGER guesses_forgotten AFTER INSERT ON guesses WHEN new.id % 64 = 0 BEGIN "
        "DELETE FROM guesses WHERE full_at < CAST(strftime('%s', 'now') AS INTEGER) * 1000000; END"
    ),
}
