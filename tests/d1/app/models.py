"""Models of the backend's tests."""

from django.db import models
from django.db.models.functions import Lower, Upper


class RandomBlob(models.Func):
    template = "randomblob(8)"
    arity = 0
    output_field = models.BinaryField()


class Hex(models.Func):
    function = "hex"
    output_field = models.TextField()


class Author(models.Model):
    name = models.CharField(max_length=100, unique=True)
    score = models.IntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(score__gte=-1000), name="score_not_too_low")]


class Book(models.Model):
    title = models.CharField(max_length=200)
    author = models.ForeignKey(Author, on_delete=models.CASCADE, related_name="books")
    price = models.DecimalField(max_digits=10, decimal_places=2, default=0)


class Tag(models.Model):
    label = models.CharField(max_length=50)
    books = models.ManyToManyField(Book, related_name="tags")


class Everything(models.Model):
    """A column of each kind."""

    big = models.BigIntegerField(null=True)
    number = models.FloatField(null=True)
    exact = models.DecimalField(max_digits=15, decimal_places=5, null=True)
    yes = models.BooleanField(null=True)
    day = models.DateField(null=True)
    moment = models.DateTimeField(null=True)
    clock = models.TimeField(null=True)
    span = models.DurationField(null=True)
    blob = models.BinaryField(null=True)
    text = models.TextField(null=True)
    data = models.JSONField(null=True)
    uid = models.UUIDField(null=True)


class Stamped(models.Model):
    """Columns that the database fills in."""

    at = models.CharField(max_length=40, db_default=Lower(Hex(RandomBlob())))
    name = models.CharField(max_length=20)
    loud = models.GeneratedField(expression=Upper("name"), output_field=models.TextField(), db_persist=True)


class Wide(models.Model):
    """Seventeen columns with its key."""

    for _i in range(16):
        vars()[f"c{_i}"] = models.CharField(max_length=40, default="")
    del _i


class Broad(models.Model):
    """Sixty-one columns: with its parent more than a result of D1 may have."""

    parent = models.ForeignKey("self", null=True, on_delete=models.CASCADE)
    flag = models.BooleanField(default=True)
    big = models.BigIntegerField(default=2**60)
    blob = models.BinaryField(null=True)
    for _i in range(56):
        vars()[f"c{_i}"] = models.CharField(max_length=40, default="")
    del _i
