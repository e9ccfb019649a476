"""What the database itself keeps of users: when each last signed in.

A trigger, because a sign-in is stored by one statement whose outcome decides (accounts.sessions). A migration
that remakes `users` or `sign_ins` drops it first and makes it again, as designs.triggers tells.
"""

CREATE = """CREATE TRIGGER users_last_login AFTER INSERT ON sign_ins BEGIN
    UPDATE users SET last_login = new.created_at WHERE id = new.user_id;
END"""
DROP = "DROP TRIGGER IF EXISTS users_last_login"
