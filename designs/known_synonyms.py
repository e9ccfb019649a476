"""The synonyms that searches go by."""

from designs.search.synonyms import NO_SYNONYMS, SynonymTable


def synonyms_at(version: str) -> SynonymTable:
    """The table under a version of the catalogue."""
    return NO_SYNONYMS


def synonyms_held() -> SynonymTable:
    """The table that this process read last."""
    return NO_SYNONYMS
