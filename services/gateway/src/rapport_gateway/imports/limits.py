"""What an import may be, and what reading it may cost."""

from typing import Final

MAX_FILE_BYTES: Final = 64 * 1024 * 1024
"""Of a CSV file that is some 400,000 rows of people; the file is kept in the database until it is run."""
MAX_ROWS: Final = 200_000
MAX_COLUMNS: Final = 200
MAX_CELLS: Final = 8_000_000
MAX_CELL_CHARACTERS: Final = 32_767
"""What Excel itself allows in one cell."""
MAX_UNPACKED_BYTES: Final = 512 * 1024 * 1024
"""A workbook is a ZIP archive; this is ten times what one of 100,000 rows and thirty columns unpacks to."""

MEMORY_BYTES: Final = 3 * 1024 * 1024 * 1024
"""Address space of the process that reads a sheet. It ends for want of memory, and nothing beside it does."""
CPU_SECONDS: Final = 900
SILENCE_SECONDS: Final = 180.0
"""A reading process that has said nothing for so long is ended."""

ROWS_NAMED: Final = 20
"""A finding names so many of its rows, and counts all."""
