"""The bench's tables, which Django only reads, and its own table of decisions."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import Lookup


@models.TextField.register_lookup
class Found(Lookup):
    """A text contains the search, in the words of the trigram index."""

    lookup_name = "found"

    def get_prep_lookup(self) -> str:
        return str(self.rhs).translate({ord(sign): f"\\{sign}" for sign in "\\%_"})

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        text, of_text = self.process_lhs(compiler, connection)
        sought, of_sought = self.process_rhs(compiler, connection)
        expression = f"review.search_text({text}) like '%%' || review.search_text({sought}) || '%%'"
        return expression, [*of_text, *of_sought]


class Account(models.Model):
    account_id = models.BigIntegerField(primary_key=True)
    username = models.TextField()
    email = models.TextField()
    country_code = models.CharField("country", max_length=2)
    kyc_status = models.TextField("verified")
    created_at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = 'exchange"."accounts'

    def __str__(self) -> str:
        return self.username


class Metrics(models.Model):
    account = models.OneToOneField(
        Account, models.DO_NOTHING, primary_key=True, db_column="affiliate_account_id"
    )
    volume_usd = models.DecimalField(max_digits=24, decimal_places=2)
    fees_usd = models.DecimalField(max_digits=24, decimal_places=6)
    active_users = models.IntegerField()
    new_users = models.IntegerField()

    class Meta:
        managed = False
        db_table = 'review"."affiliate_window'


class Application(models.Model):
    application_id = models.BigIntegerField(primary_key=True)
    account = models.ForeignKey(Account, models.DO_NOTHING)
    social_platform = models.TextField("platform")
    social_handle = models.TextField("handle")
    contact_platform = models.TextField()
    contact_handle = models.TextField()
    submitted_at = models.DateTimeField()
    status = models.TextField()
    status_changed_at = models.DateTimeField(null=True)

    class Meta:
        managed = False
        db_table = 'exchange"."applications'
        # As the dashboard's queue by waiting, and as an index has it.
        ordering: ClassVar = ["submitted_at", "application_id"]

    def __str__(self) -> str:
        return f"{self.application_id} {self.social_handle}"


class Decision(models.Model):
    application_id = models.BigIntegerField()
    outcome = models.TextField()
    reason = models.TextField()
    decided_by = models.TextField()
    decided_at = models.DateTimeField(auto_now_add=True)
