"""Tables of the fault tests: a pair of rows for each transaction, and a counter."""

from django.db import models


class Left(models.Model):
    label = models.CharField(max_length=40, unique=True)

    class Meta:
        app_label = "d1faults"


class Right(models.Model):
    left = models.ForeignKey(Left, models.CASCADE)
    label = models.CharField(max_length=40, unique=True)

    class Meta:
        app_label = "d1faults"


class Counter(models.Model):
    value = models.IntegerField(default=0)

    class Meta:
        app_label = "d1faults"


MODELS = (Left, Right, Counter)
