"""The way back from the consent page, and re-authentication of an account that is connected already."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm_integrations.authorization_refusals import describe_refusal
from crm_integrations.models import AuthorizationRequest, Configuration
from crm_integrations.permissions import EDIT_CONFIGURATIONS
from crm_integrations.providers.errors import CRMError, GrantEnded
from crm_integrations.selectors.authentications import configurations_beside, right_lines
from crm_integrations.selectors.configurations import configuration_or_404, find_provider
from crm_integrations.services.authorization import (
    AccessDecided,
    AuthorizationRefused,
    FinishedAuthorization,
    begin_authorization,
    discard_access,
    find_open_request,
    finish_authorization,
    renew,
)
from crm_integrations.services.pending_access import (
    PendingAccess,
    find_pending_access,
    forget_pending_access,
    keep_pending_access,
)
from crm_integrations.services.rights import newly_failing, recheck_rights, rights_columns
from crm_integrations.views.access import check_permissions, requires
from crm_integrations.views.breadcrumbs import configuration_trail
from crm_integrations.views.refusal_notes import leave_refusal, take_refusal
from crm_integrations.views.set_up_access import check_may_set_up
from crm_integrations.views.signed_in import SignedInRequest

State = Configuration.State


@require_safe
@requires()
def return_from_consent(request: SignedInRequest) -> HttpResponse:
    """Every CRM's consent page sends people here; always leads on, so that a reload repeats nothing."""
    state = request.GET.get("state", "")
    _check_may_go_on(request, find_open_request(state=state, actor=request.user))
    try:
        finished = finish_authorization(
            state=state,
            code=request.GET.get("code", ""),
            error=request.GET.get("error", ""),
            actor=request.user,
            session_key=str(request.session.session_key),
            now=timezone.now(),
        )
    except AuthorizationRefused as refused:
        return _refuse(request, refused)
    return _go_on(request, finished)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(EDIT_CONFIGURATIONS)
def reauthenticate(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Explains what will happen, then goes to the consent page of the same account."""
    configuration = configuration_or_404(pk)
    authentication, provider = configuration.authentication, find_provider(configuration)
    if authentication is None or provider is None:
        return redirect("configuration_detail", configuration.pk)
    if request.method == "POST":
        url = begin_authorization(
            configuration=configuration,
            address=authentication.account.address,
            name=authentication.name,
            options=authentication.options,
            actor=request.user,
            session_key=str(request.session.session_key),
            now=timezone.now(),
            authentication=authentication,
        )
        return redirect(url)
    context = {
        "title": _("Re-authenticate"),
        "configuration": configuration,
        "authentication": authentication,
        "account_url": provider.account_url(authentication.account.address),
        "beside": configurations_beside(configuration),
        "refusal": take_refusal(request),
        "back_url": reverse("configuration_detail", args=[configuration.pk]),
        "breadcrumbs": configuration_trail(configuration, _("Re-authenticate")),
    }
    return render(request, "crm_integrations/reauthenticate.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(EDIT_CONFIGURATIONS)
def confirm_system_user(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Another user pressed Allow, or one who may do less: the administrator decides."""
    configuration = configuration_or_404(pk)
    pending = find_pending_access(request.session, actor=request.user, now=timezone.now())
    if pending is None or pending.request.configuration_id != configuration.pk:
        return _nothing_to_confirm(request, configuration)
    if request.method == "POST":
        forget_pending_access(request.session)
        return _decide(request, configuration, pending)
    authentication, provider = pending.authentication, find_provider(configuration)
    stored = rights_columns(pending.access.rights, timezone.now())["rights"]
    context = {
        "title": _("Confirm the system user"),
        "configuration": configuration,
        "authentication": authentication,
        "user_before": authentication,
        "user_now": pending.access.user,
        "is_other_user": authentication.system_user_id not in {"", pending.access.user.id},
        "has_less": bool(newly_failing(before=authentication.rights, after=pending.access.rights)),
        "rights": right_lines(stored, provider),
        "beside": configurations_beside(configuration),
        "breadcrumbs": configuration_trail(configuration, _("Re-authenticate")),
    }
    return render(request, "crm_integrations/confirm_system_user.html", context)


@require_POST
@requires(EDIT_CONFIGURATIONS)
def check_rights(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Ask the CRM again what the system user may do."""
    configuration = configuration_or_404(pk)
    authentication = configuration.authentication
    if authentication is not None:
        try:
            recheck_rights(
                authentication=authentication, configuration=configuration, actor=request.user, now=timezone.now()
            )
            messages.success(request, _("The rights of the system user were checked."))
        except GrantEnded:
            messages.error(request, _("The CRM no longer accepts the access: re-authenticate."))
        except CRMError:
            messages.error(request, _("The CRM could not be reached or did not answer. Try again in a few minutes."))
    return redirect("configuration_detail", configuration.pk)


def _decide(request: SignedInRequest, configuration: Configuration, pending: PendingAccess) -> HttpResponse:
    trip, access, now = pending.request, pending.access, timezone.now()
    try:
        if request.POST.get("decision") == "accept":
            renew(request=trip, access=access, actor=request.user, now=now)
            return _renewed(request, configuration)
        discard_access(request=trip, access=access, now=now)
    except AccessDecided:
        return _nothing_to_confirm(request, configuration)
    except AuthorizationRefused as refused:
        return _refuse(request, refused)
    messages.info(request, _("The new access was discarded; nothing was changed."))
    return redirect("configuration_detail", configuration.pk)


def _nothing_to_confirm(request: SignedInRequest, configuration: Configuration) -> HttpResponse:
    messages.warning(request, _("There is nothing to confirm any more. Re-authenticate again if it is needed."))
    return redirect("configuration_detail", configuration.pk)


def _refuse(request: SignedInRequest, refused: AuthorizationRefused) -> HttpResponse:
    configuration = refused.request.configuration if refused.request else None
    if configuration is None or configuration.state == State.DELETED:
        messages.error(request, describe_refusal(refused.reason, refused.detail))
        return redirect("configuration_list")
    leave_refusal(request, reason=refused.reason, detail=refused.detail)
    is_renewal = refused.request is not None and refused.request.authentication_id is not None
    return redirect("configuration_reauthenticate" if is_renewal else "configuration_authentication", configuration.pk)


def _check_may_go_on(request: SignedInRequest, trip: AuthorizationRequest | None) -> None:
    """Permissions may have ended on the way. Asked before the code is exchanged, so that no access is granted then."""
    if trip is not None and trip.authentication_id is not None:
        check_permissions(request, EDIT_CONFIGURATIONS)
    elif trip is not None and trip.configuration is not None and trip.configuration.state != State.DELETED:
        check_may_set_up(request, trip.configuration)


def _go_on(request: SignedInRequest, finished: FinishedAuthorization) -> HttpResponse:
    configuration = finished.request.configuration
    if configuration is None or configuration.state == State.DELETED:
        messages.warning(request, _("The configuration was deleted meanwhile; the authentication was kept."))
        return redirect("configuration_list")
    if finished.pending is not None:
        keep_pending_access(request.session, request=finished.request, access=finished.pending)
        return redirect("configuration_confirm_user", configuration.pk)
    if finished.request.authentication_id is not None:
        return _renewed(request, configuration)
    if finished.is_selected:
        return redirect("configuration_rights", configuration.pk)
    messages.warning(
        request, _("The configuration has its account already; the new authentication was kept beside it.")
    )
    return redirect("configuration_detail", configuration.pk)


def _renewed(request: SignedInRequest, configuration: Configuration) -> HttpResponse:
    messages.success(request, _("Authentication is active. Deliveries that were held go on in order."))
    return redirect("configuration_detail", configuration.pk)
