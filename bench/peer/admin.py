"""The list with its filters, search and actions, and the form of one."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.http import HttpRequest

from bench.peer.models import Application, Decision


class WithReason(ActionForm):
    reason = forms.CharField(required=False)


def metric(name: str) -> Any:
    """Return a column of the applicant's metrics, which not every applicant has."""

    @admin.display(description=name.replace("_", " "), ordering=f"account__metrics__{name}")
    def column(application: Application) -> Any:
        metrics = getattr(application.account, "metrics", None)
        return getattr(metrics, name, None)

    column.__name__ = name
    return column


def deciding(outcome: str) -> Any:
    """Return an action that records this outcome with the reason."""

    def action(_: Any, request: HttpRequest, chosen: Any) -> None:
        reason = request.POST.get("reason", "").strip()
        if not reason:
            messages.error(request, "A reason is required.")
            return
        made = Decision.objects.bulk_create(
            Decision(
                application_id=application.pk,
                outcome=outcome,
                reason=reason,
                decided_by=request.user.get_username(),
            )
            for application in chosen
        )
        messages.success(request, f"{len(made)} {outcome}.")

    action.__name__ = outcome
    action.short_description = outcome.capitalize()  # type: ignore[attr-defined]
    return action


@admin.register(Application)
class Applications(admin.ModelAdmin):
    list_display: ClassVar = [
        "application_id",
        "account",
        "account__country_code",
        "account__kyc_status",
        "social_platform",
        "social_handle",
        "submitted_at",
        "status",
        *map(metric, ("volume_usd", "fees_usd", "active_users", "new_users")),
    ]
    list_select_related = ("account", "account__metrics")
    list_filter = ("status", "account__country_code", "social_platform", "account__kyc_status")
    list_per_page = 50
    search_fields = ("social_handle__found",)
    raw_id_fields = ("account",)
    action_form = WithReason
    actions: ClassVar = [deciding("approved"), deciding("rejected")]
