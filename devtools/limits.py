"""The environment in which no limit stops a tool that asks more than people do."""

NAMES = (
    *("ANONYMOUS_REQUESTS", "USER_REQUESTS", "SIGN_IN_REQUESTS", "UPLOAD_REQUESTS", "REGISTRATIONS"),
    *("SIGN_INS", "AVATAR_UPLOADS", "PRESIGNED_UPLOADS"),
)
RAISED = dict.fromkeys(NAMES, "1000000")
