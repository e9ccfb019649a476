"""`make test-wire`: gunicorn as shipped, attacked on the wire; what it measured, and status 1 if an aim is missed."""
