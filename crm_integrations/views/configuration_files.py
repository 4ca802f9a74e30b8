"""Configurations as files in the browser: Export is a download, Import checks first and names every problem."""

import json
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from crm_integrations import permissions
from crm_integrations.configuration_sections import registered_sections
from crm_integrations.forms.configuration_files import ConfigurationFileForm
from crm_integrations.problems import Problem
from crm_integrations.selectors.configurations import configuration_or_404
from crm_integrations.services.configuration_files import (
    CheckedFile,
    ImportRefused,
    check_file,
    export_configuration,
    import_configuration,
)
from crm_integrations.views.access import check_permissions, requires
from crm_integrations.views.breadcrumbs import list_trail
from crm_integrations.views.signed_in import SignedInRequest

CHECK_ONLY = "check"


@require_safe
@requires(permissions.VIEW_CONFIGURATIONS)
def download(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """The configuration as a file; whoever may not see a part of it gets no file, rather than half of one."""
    check_permissions(request, *(section.view_permission for _key, section in registered_sections()))
    configuration = configuration_or_404(pk)
    text = json.dumps(export_configuration(configuration=configuration), indent=2, ensure_ascii=False) + "\n"
    response = HttpResponse(text, content_type="application/json; charset=utf-8")
    name = slugify(configuration.name) or "configuration"
    response["Content-Disposition"] = f'attachment; filename="{name}.json"'
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@requires(permissions.CREATE_CONFIGURATIONS)
def upload(request: SignedInRequest) -> HttpResponse:
    """Check a file (nothing is created), or import it."""
    if request.method != "POST":
        return _show(request, ConfigurationFileForm())
    form = ConfigurationFileForm(request.POST, request.FILES)
    if not form.is_valid():
        return _show(request, form)
    try:
        checked = check_file(text=form.document, authentication_name=form.authentication_name, actor=request.user)
        if request.POST.get("act") == CHECK_ONLY:
            return _show(request, _with_text(form), checked=checked)
        configuration = import_configuration(checked=checked, actor=request.user)
    except ImportRefused as refused:
        return _show(request, _with_text(form), problems=refused.problems)
    messages.success(request, _("The configuration “%(name)s” was created.") % {"name": configuration.name})
    return redirect("configuration_detail", configuration.pk)


def _with_text(form: ConfigurationFileForm) -> ConfigurationFileForm:
    """The form with the file's text on the page."""
    return ConfigurationFileForm(initial={"text": form.document, "authentication": form.authentication_name})


def _show(
    request: SignedInRequest,
    form: ConfigurationFileForm,
    *,
    checked: CheckedFile | None = None,
    problems: list[Problem] | None = None,
) -> HttpResponse:
    context = {
        "form": form,
        "checked": checked,
        "problems": problems or [],
        "has_text": bool(form.initial.get("text") or (form.is_bound and form.data.get("text"))),
        "breadcrumbs": list_trail(_("Import a configuration")),
        "back_url": reverse("configuration_list"),
    }
    return render(request, "crm_integrations/files/import.html", context)
