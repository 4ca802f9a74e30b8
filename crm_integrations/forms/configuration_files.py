"""The import page's form: a file, or its text as checked before."""

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from crm_integrations.models import Authentication

LARGEST_FILE = 1_048_576  # bytes; a configuration with hundreds of rows has some tens of kilobytes


class ConfigurationFileForm(forms.Form):
    """After a check the text stays on the page, so that it can be imported, or corrected, without another upload."""

    file = forms.FileField(
        label=_("File"),
        error_messages={"required": _("Choose a file.")},
        widget=forms.FileInput(attrs={"accept": ".json,application/json"}),
    )
    authentication = forms.ModelChoiceField(
        label=_("Authentication"),
        queryset=Authentication.objects.none(),
        required=False,
        to_field_name="name",
        empty_label=_("The one that the file names"),
        help_text=_("The account whose fields the mappings are checked against."),
    )
    text = forms.CharField(
        label=_("Contents of the file"),
        required=False,
        strip=False,
        max_length=LARGEST_FILE,
        widget=forms.Textarea(attrs={"rows": 18, "class": "mono", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["file"].required = not (self.data.get("text") or self.initial.get("text"))
        choices = self.fields["authentication"]
        if isinstance(choices, forms.ModelChoiceField):
            choices.queryset = Authentication.objects.defer("access_token", "refresh_token").order_by("name")

    def clean_file(self) -> str:
        """The uploaded file's text; empty when there is none and the page's own text counts."""
        upload: UploadedFile[bytes] | None = self.cleaned_data["file"]
        if upload is None:
            return ""
        if upload.size is not None and upload.size > LARGEST_FILE:
            raise forms.ValidationError(_("The file is larger than 1 MB. It is no configuration."))
        try:
            return str(upload.read(), "utf-8-sig")
        except UnicodeDecodeError as error:
            raise forms.ValidationError(_("The file is not text in UTF-8. It is no configuration.")) from error

    @property
    def document(self) -> str:
        """What is to be checked; a new upload wins over the text on the page."""
        return str(self.cleaned_data["file"] or self.cleaned_data["text"])

    @property
    def authentication_name(self) -> str:
        """The authentication chosen in place of the file's own."""
        chosen = self.cleaned_data["authentication"]
        return chosen.name if chosen else ""
