"""The trigger that notes the last sign-in of a user.

A trigger, because one statement stores a sign-in and its outcome decides (accounts.sessions).
"""

TRIGGERS = {
    "users_last_login": (
        "CREATE TRIGGER users_last_login AFTER INSERT ON sign_ins BEGIN "
        "UPDATE users SET last_login = new.created_at WHERE id = new.user_id; END"
    ),
}
