"""`manage.py doctor`: looks at a deployment from the inside and, with an address, from the outside.

findings.py   what a check found
runner.py     runs the checks beside each other, each with its time limit
catalogue.py  all checks, by section
report.py     the findings for people and for programs

The others hold the checks themselves.
"""
