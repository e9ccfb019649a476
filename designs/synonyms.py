"""The synonyms that staff keep: what each may hold, the changes of them, and the current table as searches use it.

Each change is one transaction with its audit entry. Triggers change the catalogue's version with it, so the next
search on the host finds by the new table.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from core import audit
from core.errors import Invalid
from d1backend import delete_or_conflict, update_or_conflict
from designs.fields import FACET_FIELDS
from designs.models import PHRASE_LENGTH, SOURCE_LENGTH, Synonym
from designs.search.synonyms import Kind
from designs.search.tokens import fold, split

FIELDS = ("kind", "phrase", "field", "words", "source")
PHRASE_WORDS = 4  # of a phrase
MOST_WORDS = 20  # words or phrases that one row leads to
BETWEEN_WORDS = re.compile("[,;\n]")
NO_SUCH_SYNONYM = "This synonym has been deleted."
TAKEN = "There is such a synonym of this phrase already. Change that one."


class Row(NamedTuple):
    """A synonym without its key: the values of FIELDS."""

    kind: str
    phrase: str
    field: str
    words: str
    source: str


def row_of(synonym: Synonym) -> Row:
    return Row(*(getattr(synonym, name) for name in FIELDS))


def checked(sent: Mapping[str, str]) -> Row:
    """The row that these texts by field stand for; a missing one is empty. Raises Invalid, naming every fault.

    Phrase and words are kept as searches compare them: folded, without punctuation.
    """
    texts = {name: sent.get(name, "").strip() for name in FIELDS}
    faults: dict[str, str] = {}
    kind, field = texts["kind"].casefold(), texts["field"].casefold().replace(" ", "_")
    if kind not in set(Kind):
        faults["kind"] = f"Choose one of {', '.join(Kind)}."
    phrase = " ".join(split(fold(texts["phrase"])))
    if fault := fault_of_phrase(texts["phrase"], one_word=kind == Kind.KEPT):
        faults["phrase"] = fault
    if field and kind in (Kind.SAME, Kind.KEPT):
        faults["field"] = "Leave this empty: only a phrase that means something has a field."
    elif field and field not in FACET_FIELDS:
        faults["field"] = f"Leave this empty, or choose one of {', '.join(FACET_FIELDS)}."
    words = [word.strip() for word in BETWEEN_WORDS.split(texts["words"]) if word.strip()]
    if kind in set(Kind) and (fault := fault_of_words(Kind(kind), phrase, words)):
        faults["words"] = fault
    if len(texts["source"]) > SOURCE_LENGTH or not texts["source"].isprintable():
        faults["source"] = f"This may have at most {SOURCE_LENGTH} characters, on one line."
    if faults:
        fields = {name: [sentence] for name, sentence in faults.items()}
        raise Invalid("The synonym is not valid.", fields=fields)
    folded = dict.fromkeys(" ".join(split(fold(word))) for word in words)
    return Row(kind, phrase, field, ", ".join(folded), texts["source"])


def fault_of_phrase(text: str, *, one_word: bool = False) -> str | None:
    """A sentence unless this is a phrase that a search can find."""
    words = split(fold(text))
    if not words:
        return "This needs a word: a letter or a digit at least."
    if symbol := next((word for word in text.split() if not split(fold(word))), None):
        return f"“{symbol}” has no letter and no digit, so no search can find it. Leave it out."
    if one_word and len(words) > 1:
        return "Only single words are corrected, so this must be one word."
    if len(words) > PHRASE_WORDS:
        return f"This may have at most {PHRASE_WORDS} words."
    if len(" ".join(words)) > PHRASE_LENGTH:
        return f"This may have at most {PHRASE_LENGTH} characters."
    return None


def fault_of_words(kind: Kind, phrase: str, words: list[str]) -> str | None:
    """A sentence unless a synonym of this kind can lead from the phrase to these words."""
    if kind is Kind.KEPT:
        return "Leave this empty: a word that is never corrected leads to no other." if words else None
    if not words:
        return "Name at least one word that the phrase leads to."
    if len(words) > MOST_WORDS:
        return f"Name at most {MOST_WORDS}."
    for word in words:
        if fault := fault_of_phrase(word):
            return f"“{word}”: {fault}"
        if kind is Kind.SAME and " ".join(split(fold(word))) == phrase:
            return f"“{word}” is the phrase itself. Leave it out."
    return None


def check_free(row: Row, besides: int | None = None) -> None:
    """Raise Invalid if another synonym than the one of the id `besides` has this kind and phrase."""
    others = Synonym.objects.filter(phrase=row.phrase, kind=row.kind)
    if besides is not None:
        others = others.exclude(pk=besides)
    if others.exists():
        raise Invalid(TAKEN, fields={"phrase": [TAKEN]})


def synonym_create(actor: audit.Actor | None, sent: Mapping[str, str]) -> Synonym:
    """Store a new synonym.

    Raises Invalid as `checked` does, and IntegrityError if there is one of this kind and phrase. RepeatLostWrites
    (core/middleware.py) then runs the view again, whose form finds it (check_free).
    """
    row = checked(sent)
    with transaction.atomic():
        return store_new(actor, row)


def store_new(actor: audit.Actor | None, row: Row) -> Synonym:
    """Store a row that is checked, and audit it. Call this inside a transaction."""
    synonym = Synonym(**row._asdict())
    synonym.save(force_insert=True)
    changes = {name: (None, value) for name, value in row._asdict().items() if value}
    audit.record(actor, "synonym.create", synonym, changes)
    return synonym


def synonym_update(actor: audit.Actor | None, synonym: Synonym, sent: Mapping[str, str]) -> bool:
    """Store those fields in a synonym, which has the values that were read; return whether any differs.

    Raises as synonym_create does, and SerializationFailure if it has other values by now or is gone.
    """
    row = checked({**row_of(synonym)._asdict(), **sent})
    with transaction.atomic():
        return store_change(actor, synonym, row)


def store_change(actor: audit.Actor | None, synonym: Synonym, row: Row) -> bool:
    """Store a row that is checked in a synonym that has the values that were read, and audit what differs."""
    old = row_of(synonym)
    changes = {
        name: (before, after) for name, before, after in zip(FIELDS, old, row, strict=True) if before != after
    }
    if not changes:
        return False
    as_read = Synonym.objects.filter(pk=synonym.pk, **old._asdict())
    for name, value in row._asdict().items():
        setattr(synonym, name, value)
    synonym.updated_at = timezone.now()
    update_or_conflict(as_read, **row._asdict(), updated_at=synonym.updated_at)
    audit.record(actor, "synonym.update", synonym, changes)
    return True


def synonym_delete(actor: audit.Actor | None, synonym: Synonym) -> None:
    """Delete a synonym. Raises SerializationFailure if it is gone already."""
    with transaction.atomic():
        changes = {name: (value, None) for name, value in row_of(synonym)._asdict().items() if value}
        audit.record(actor, "synonym.delete", synonym, changes)
        delete_or_conflict(synonym)
