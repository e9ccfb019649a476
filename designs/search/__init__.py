"""Search: from what a person types to the designs they mean.

`sql` holds what touches the database; every other module here is pure, and knows neither Django nor SQL.
"""
