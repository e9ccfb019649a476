"""`manage.py tidy`: ends what would otherwise grow for ever. docs/tidy.md says for each table what bounds it."""
