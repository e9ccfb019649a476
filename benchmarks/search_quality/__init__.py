"""`make search-quality`: how well the search finds what people mean, on the demo catalogue.

dev.json holds queries of 15 kinds, each with a rule that tells from the stored fields which designs it means;
families.json holds lists of words that rules share. Nothing of the search may be tuned to a single word of them.
"""
