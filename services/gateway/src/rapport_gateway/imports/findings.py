"""What was noticed about a sheet, a column or a row. A finding names places and codes, never what a cell holds."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

from rapport_gateway.imports.limits import ROWS_NAMED

Weight = Literal["stops", "warns", "informs"]
"""A finding that stops has to be decided by the mapping before anything is sent."""

MESSAGES: Final[dict[str, str]] = {
    "ambiguous_encoding": "The bytes read as text in more than one encoding. Name it in the mapping: encoding.",
    "ambiguous_delimiter": "The lines split in more than one way. Name it in the mapping: delimiter.",
    "wrong_delimiter": "By this delimiter the sheet has one column, by another it has several. Name it: delimiter.",
    "nothing_mapped": "No column has a name that is known. Say in the mapping what the columns hold.",
    "column_missing": "The mapping names a column that the sheet does not have.",
    "duplicate_header": "Several columns have this name. Name the one that is meant by its number.",
    "mapped_twice": "Two columns are mapped to a field that has room for one.",
    "unnamed_column": "The column has cells and no name; it is not imported unless it is mapped by its number.",
    "not_mapped": "The column is not imported.",
    "empty_lines": "The lines are empty; they are passed by.",
    "ragged_rows": "The rows have more or fewer cells than the header; they are rejected, for cells may have shifted.",
    "leading_zeros": "Leading zeros seem lost: some numbers are shorter than others. Decide by pad_to or as_written.",
    "uneven_numbers": "The numbers are of unlike length: if they once had leading zeros, restore them by pad_to.",
    "decimal_point": "Whole numbers are written with a decimal point; they are read without it.",
    "number_cells": "The cells are numbers and not text: leading zeros, if there were any, are lost.",
    "scientific_notation": "A number was shortened to the form 1.38E+10; what it was cannot be restored.",
    "precision_lost": "A number has more than 15 digits, of which a spreadsheet keeps 15.",
    "ambiguous_date_order": "No date of the column tells the day from the month. Decide by date_order.",
    "mixed_date_orders": "Some dates begin with the day and some with the month. Decide by date_order.",
    "date_order": "The order of day and month follows from the dates whose day is above 12.",
    "excel_serial": "The dates are numbers of days. Decide by serial_dates: 1900 or 1904.",
    "date_unreadable": "It is no date, or not in the order that was decided; it is kept as it is written.",
    "time_unreadable": "It is no instant and no date.",
    "two_digit_year": "The year has two digits; the date is kept as it is written.",
    "consent_unreadable": "It says neither yes nor no.",
    "phone_unreadable": "It is no telephone number here; the region of the column or of the unit says how to read one.",
    "phone_doubtful": "The number is not in the numbering plan of its country.",
    "email_unreadable": "It is no e-mail address.",
    "identifier_unreadable": "It identifies nobody.",
    "duplicate_record": "An earlier row of the sheet has the same source record.",
    "same_as_row": "An earlier row of the sheet has the same identifier: they may be one customer.",
    "likeness_unknown": "Whether the row is like a known customer could not be asked just now.",
    "quarantined": "The touchpoint was quarantined.",
    "names_nobody": "The row has neither a source record nor an identifier that somebody can be found by.",
    "too_long": "A cell is longer than a spreadsheet allows.",
    "not_valid": "The touchpoint that the row makes is not valid.",
}


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a row has its verdict, or what to know of it. `column` is the header, or the number of one without."""

    code: str
    column: str | None = None
    message: str = ""
    row: int | None = None

    def document(self) -> dict[str, Any]:
        """As the API shows it."""
        text = self.message or MESSAGES[self.code]
        other = {} if self.row is None else {"row": self.row}
        return {"code": self.code, "column": self.column, "message": text, **other}


@dataclass(slots=True)
class Finding:
    """Something noticed, and where: row numbers are those that a spreadsheet shows."""

    code: str
    weight: Weight
    column: str | None = None
    column_number: int | None = None
    count: int = 0
    rows: list[int] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """As the API shows it."""
        return {**asdict(self), "message": MESSAGES[self.code]}

    def at(self, row: int) -> None:
        """Counts a row, and names it if it is one of the first."""
        self.count += 1
        if len(self.rows) < ROWS_NAMED:
            self.rows.append(row)


@dataclass(slots=True)
class Findings:
    """All findings of a sheet, one for each code and column."""

    _found: dict[tuple[str, int | None], Finding] = field(default_factory=dict)

    def add(
        self,
        code: str,
        weight: Weight,
        column: str | None = None,
        number: int | None = None,
        rows: Iterable[int] = (),
    ) -> Finding:
        """The finding of this code and column, with these rows added."""
        finding = self._found.setdefault((code, number), Finding(code, weight, column, number))
        for row in rows:
            finding.at(row)
        return finding

    @property
    def stops(self) -> bool:
        """Whether something has to be decided."""
        return any(finding.weight == "stops" for finding in self._found.values())

    def documents(self) -> list[dict[str, Any]]:
        """What stops first, then by column."""
        order = ("stops", "warns", "informs")
        ordered = sorted(self._found.values(), key=lambda f: (order.index(f.weight), f.column_number or 0, f.code))
        return [finding.document() for finding in ordered]


class SheetUnreadable(Exception):
    """The file cannot be imported whatever the mapping says. `code` and `message` hold nothing of the file."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
