import os

DATABASES = {
    alias: {
        "ENGINE": "d1backend",
        "NAME": f"conformance_{alias}",
        "OPTIONS": {"account_id": "local", "api_token": "local", "base_url": os.environ["D1_BASE_URL"]},
    }
    for alias in ("default", "other")
}
