"""Backups of the database and restores (docs/backups.md).

names       the names of backups, by their moment
retention   which ones are kept
places      where they lie: a folder, the private bucket; newest() for others who ask how old the last one is
keys        the secret of a backup, encrypted to the public keys of BACKUP_KEY by age
contents    what is in a file, and how one is opened
schema      the tables, parents first, and the migrations of this version
databases   SQLite and D1, read in pages and filled
hidden      columns that the copy of D1 lacks
reading     one state of the database, as far as that is possible
taking      writes a backup
restoring   fills a new database, and compares
verifying   the same in a scratch database
pictures    the inventory of the image store beside the store
"""

from operations.backups.places import newest

__all__ = ["newest"]
