"""Takes the database of the service before this one (manage.py adopt_seed, docs/adopting-the-seed.md).

source     the seed's tables: a file of SQLite, or a D1 database that is copied to one first
values     what the seed's columns hold, however it is written
report     what is taken, changed and left out, and why
users, catalogue, app_settings
           the rows of this gallery for those of the seed, in the order of their ids
pictures   checks, stores and describes what the designs show
target     this gallery's database: whether it is new, unfinished or done; rows, marks, a last comparison
adoption   goes through all of it, once to check and once to write
"""


class SeedError(Exception):
    """Why nothing can be adopted, or not go on: one sentence or two for the person who runs the command."""
