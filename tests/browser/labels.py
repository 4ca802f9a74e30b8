"""The labels of the walk in both languages, as they were agreed; every other word is looked up in the catalogue."""

from dataclasses import dataclass

from django.utils import translation
from django.utils.translation import gettext

FRENCH = {
    "Agent Integrations": "Intégrations d'agents",
    "New CRM Configuration": "Nouvelle configuration CRM",
    "Integration Type": "Type d'intégration",
    "Configuration Name": "Nom de la configuration",
    "Authenticate": "Authentification",
    "New authentication": "Nouvelle authentification",
    "Your authentication name": "Nom de votre authentification",
    "Zendesk subdomain": "Sous-domaine Zendesk",
    "App ID": "ID d'application",
    "Organization ID": "ID d'organisation",
    "Marketplace name": "Nom Marketplace",
    "Create": "Créer",
    "Next": "Suivant",
    "external_screenpop_domain_zen": "external_screenpop_domain_zen",
    "Finish": "Terminer",
    "Save": "Enregistrer",
    "Configuration ID": "ID de configuration",
    "Intake keys": "Clés d'entrée",
    "Data Memorialization": "Mémorialisation des données",
    "New Data Mapping": "Nouveau mappage de données",
    "Name": "Nom",
    "Description": "Description",
    "Select Entity Type": "Sélectionner le type d'entité",
    "Add Entity": "Ajouter une entité",
    "External CRM Field": "Champ CRM externe",
    "Select Channel": "Sélectionner un canal",
    "Digital Contact": "Contact numérique",
    "Script Variable": "Variable de script",
    "Voice Call Contact": "Contact d'appel vocal",
    "CXone Mpower Data": "Données CXone Mpower",
    "Add Field": "Ajouter un champ",
    "Contact ID": "ID du contact",
    "Customer Name": "Nom du client",
    "Dynamic Data": "Données dynamiques",
    "Current Interaction": "Interaction actuelle",
    "Related Interactions": "Interactions connexes",
    "Refresh": "Actualiser",
    "No information available": "Aucune information disponible",
}


@dataclass(frozen=True)
class Labels:
    """What the pages say in one language (`en` or `fr-ca`); call it with the English words."""

    language: str

    @property
    def locale(self) -> str:
        """The browser's language."""
        return {"en": "en-CA", "fr-ca": "fr-CA"}[self.language]

    def __call__(self, english: str) -> str:
        if self.language == "en":
            return english
        return FRENCH.get(english) or self.look_up(english)

    def look_up(self, english: str) -> str:
        """Words that are not agreed, as the catalogue has them."""
        with translation.override(self.language):
            return gettext(english)
