"""Metrics of accounts: passwords, tries at secrets, repeated calls."""

from prometheus_client import Counter, Gauge, Histogram

# Seconds: bcrypt alone takes about 0.2; more of them at once wait for each other.
HASH_BUCKETS = (0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10)

HASH_SECONDS = Histogram(
    "gallery_password_hash_seconds", "Seconds of hashing a password", buckets=HASH_BUCKETS
)
HASHES_RUNNING = Gauge(
    "gallery_password_hashes_running", "Passwords that are being hashed", multiprocess_mode="livesum"
)
TRIES = Counter("gallery_secret_tries", "Tries at a password or a reset code", ["secret", "result"])
LOCKED = Counter("gallery_secret_locks", "Times that wrong tries used a limit up and locked it", ["limit"])
REPLAYS = Counter("gallery_idempotent_replays", "Second tries that got the first answer")
