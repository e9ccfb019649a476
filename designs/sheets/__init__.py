"""The catalogue as a table: reading one from any file people make with Excel, importing it, exporting it.

| module | subject |
| --- | --- |
| `table.py` | a table in a file of any kind, as rows of texts; `text.py` reads CSV, `workbook.py` Excel's workbooks |
| `headers.py` | which column of the file is which column of a design |
| `values.py` | what a cell means: yes or no, a status, an id, a date |
| `beside.py` | the pictures beside the table, in a folder or a zip |
| `rows.py` | the import of one row, in one transaction |
| `trash.py` | the cells of a design in the trash |
| `faults.py` | what is wrong with a row, in the words of people who use Excel |
| `archives.py` | what a zip or a workbook may hold at most |
| `reading.py` | a table written down once, so that its rows can be taken in parts |
| `uploads.py`, `running.py` | the file that a member of staff sends, kept in DATA, and its import in parts |
| `export.py` | the catalogue and the template, as CSV and as a workbook |
"""
