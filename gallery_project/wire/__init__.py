"""gunicorn's worker for this service: a thread gets a request only when it is complete.

`worker` has the event loop, `connection` what arrives on one connection, `framing` the end of a body, `refusals` the
answers without the application, `balance` the spreading of connections over workers.
"""
