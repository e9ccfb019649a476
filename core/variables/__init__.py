"""The variables of the environment: each is declared once, read by its declaration, and refused in one sentence.

kinds.py has what a value may be, declared.py every variable, reading.py `Environment`, which reads them,
combinations.py what several say together, checking.py `load()`, which refuses what is wrong, page.py docs/settings.md,
misspelt.py names that nobody reads.

It runs while settings load: nothing here imports settings or models.
"""
