"""The log: one line for each event, as JSON or for people to read. docs/logs.md describes it.

`configuration` makes settings.LOGGING. `current` knows which request a line belongs to, `formatters` write lines,
`hiding` takes secrets out of them, `foreign` words Django's own lines, and `uncaught` logs what nobody caught.
"""
