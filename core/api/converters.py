"""Parts of addresses."""


class RowId:
    """The id of a row; a number that no column could hold leads nowhere, as an unknown address does."""

    regex = "[0-9]{1,18}"

    def to_python(self, value: str) -> int:
        return int(value)

    def to_url(self, value: int) -> str:
        return str(value)
