"""bcrypt at its least cost: the run signs in thousands of users, and the real cost is 0.2 s of CPU each time."""

from accounts.hashers import MeasuredBcrypt


class QuickBcrypt(MeasuredBcrypt):
    rounds = 4
