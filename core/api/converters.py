"""Converters for parts of URLs."""


class RowId:
    """The id of a row. A number too large for the column gives 404, as an unknown URL does."""

    regex = "[0-9]{1,18}"

    def to_python(self, value: str) -> int:
        return int(value)

    def to_url(self, value: int) -> str:
        return str(value)
