"""Tables of the fault tests: pairs of rows, with unique labels or with numbers that may repeat; a counter."""

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


class Debit(models.Model):
    number = models.IntegerField()

    class Meta:
        app_label = "d1faults"


class Credit(models.Model):
    debit = models.ForeignKey(Debit, models.CASCADE)
    number = models.IntegerField()

    class Meta:
        app_label = "d1faults"


class Counter(models.Model):
    value = models.IntegerField(default=0)

    class Meta:
        app_label = "d1faults"


MODELS = (Left, Right, Debit, Credit, Counter)
