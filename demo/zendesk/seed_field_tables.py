"""Which fields a new account has: (title or key, type, what differs from a plain field of the type)."""

from typing import Any

Row = tuple[str, str, dict[str, Any]]
KeyedRow = tuple[str, str, str, dict[str, Any]]

SYSTEM_FIELDS: tuple[Row, ...] = (
    ("Subject", "subject", {}),
    ("Description", "description", {}),
    ("Status", "status", {}),
    ("Ticket status", "custom_status", {}),
    ("Type", "tickettype", {}),
    ("Priority", "priority", {}),
    ("Group", "group", {"required": True}),
    ("Assignee", "assignee", {"required": True}),
)

DISPOSITION = [
    ("Billing::Payment arrangement", "disposition__billing__payment_arrangement"),
    ("Billing::Refund::Full", "disposition__billing__refund__full"),
    ("Billing::Refund::Partial", "disposition__billing__refund__partial"),
    ("Technical::Outage", "disposition__technical__outage"),
    ("Technical::Set-up", "disposition__technical__setup"),
    ("Sales::New order", "disposition__sales__new_order"),
    ("Sales::Cancellation", "disposition__sales__cancellation"),
    ("Resolved", "disposition__resolved"),
    ("Call back", "disposition__call_back"),
    ("Voicemail", "disposition__voicemail"),
]
SATISFACTION = [
    ("Très satisfait", "csat_tres_satisfait"),
    ("Satisfait", "csat_satisfait"),
    ("Neutre", "csat_neutre"),
    ("Insatisfait", "csat_insatisfait"),
]
DIRECTIONS = [("Inbound", "call_inbound"), ("Outbound", "call_outbound"), ("Transfer", "call_transfer")]
PRODUCTS = [
    ("Internet", "product_internet"),
    ("Mobile", "product_mobile"),
    ("Television", "product_television"),
    ("Home security", "product_home_security"),
]
TOPICS = [("Order", "topic_order"), ("Invoice", "topic_invoice"), ("Delivery", "topic_delivery")]
RESOLUTIONS = [
    ("Fixed", "resolution_fixed"),
    ("Duplicate", "resolution_duplicate"),
    ("No fault", "resolution_no_fault"),
]
SENTIMENT = [("Positive", "sentiment_positive"), ("Negative", "sentiment_negative")]
OWNER = {"relationship_target_type": "zen:user", "relationship_filter": {"all": [], "any": []}}
DEVICE = {"relationship_target_type": "zen:custom_object:device", "relationship_filter": {"all": [], "any": []}}
CONTRACT = {"relationship_target_type": "zen:custom_object:contract", "relationship_filter": {"all": [], "any": []}}
LOCKED = {"agent_can_edit": False}

TICKET_FIELDS: tuple[Row, ...] = (
    ("CXone contact ID", "text", {"agent_description": "The contact this ticket was written from"}),
    ("Call recording", "text", {"agent_description": "Address of the recording"}),
    ("Disposition", "tagger", {"options": DISPOSITION}),
    ("Call notes", "textarea", {}),
    ("Handle time", "integer", {"agent_description": "Seconds"}),
    ("Queue time", "integer", {"agent_description": "Seconds"}),
    ("Call date", "date", {}),
    ("Transcript", "textarea", {}),
    ("Call direction", "tagger", {"options": DIRECTIONS}),
    ("CXone agent", "text", {}),
    ("Skill", "text", {}),
    ("Call recorded", "checkbox", {"tag": "call_recorded"}),
    ("Call cost", "decimal", {}),
    ("Callback date", "date", {}),
    ("Order number", "regexp", {"regexp_for_validation": r"^[A-Z]{2}-\d{6}$"}),
    ("Postal code", "regexp", {"regexp_for_validation": r"^[A-Z]\d[A-Z] ?\d[A-Z]\d$"}),
    ("Payment card", "partialcreditcard", {}),
    ("Products", "multiselect", {"options": PRODUCTS}),
    ("Topics", "multiselect", {"options": TOPICS}),
    ("Satisfaction", "tagger", {"options": SATISFACTION}),
    ("Satisfaction score", "decimal", {}),
    ("Refund amount", "decimal", {}),
    ("Escalated", "checkbox", {"tag": "escalated"}),
    ("Resolution", "tagger", {"options": RESOLUTIONS, "required": True}),
    ("Account owner", "lookup", OWNER),
    ("Device", "lookup", DEVICE),
    ("Contract", "lookup", CONTRACT),
    ("Legacy CTI reference", "text", {"active": False}),
    ("Old disposition", "tagger", {"active": False, "options": [("Done", "old_done"), ("Open", "old_open")]}),
    ("Internal risk code", "text", LOCKED),
    ("Intent", "tagger", {**LOCKED, "options": [("Account::New", "intent__account__new")]}),
    ("Summary", "textarea", {**LOCKED, "key": "standard::ticket_summary"}),
    ("Sentiment", "tagger", {**LOCKED, "options": SENTIMENT, "key": "standard::sentiment"}),
)

LOYALTY = [
    ("Bronze", "loyalty_bronze"),
    ("Silver", "loyalty_silver"),
    ("Gold", "loyalty_gold"),
    ("Platinum", "loyalty_platinum"),
]
LANGUAGES = [("Français", "lang_fr"), ("English", "lang_en")]

USER_FIELDS: tuple[KeyedRow, ...] = (
    ("last_agent", "Last agent", "text", {}),
    ("last_call", "Last call", "date", {}),
    ("last_call_notes", "Last call notes", "textarea", {}),
    ("last_skill", "Last skill", "text", {}),
    ("loyalty_level", "Loyalty level", "dropdown", {"options": LOYALTY}),
    ("preferred_language", "Preferred language", "dropdown", {"options": LANGUAGES}),
    ("calls_this_year", "Calls this year", "integer", {}),
    ("lifetime_value", "Lifetime value", "decimal", {}),
    ("do_not_call", "Do not call", "checkbox", {"tag": "do_not_call"}),
    ("member_number", "Member number", "regexp", {"regexp_for_validation": r"^M\d{7}$"}),
    ("interests", "Interests", "multiselect", {"options": PRODUCTS}),
    ("account_manager", "Account manager", "lookup", OWNER),
    ("old_crm_id", "Old CRM id", "text", {"active": False}),
)

PLANS = [("Bronze", "bronze"), ("Silver", "silver"), ("Gold", "gold"), ("Platinum", "platinum")]

ORGANIZATION_FIELDS: tuple[KeyedRow, ...] = (
    ("plan", "Plan", "dropdown", {"options": PLANS}),
    ("seats", "Seats", "integer", {}),
    ("account_code", "Account code", "regexp", {"regexp_for_validation": r"^AC-\d{4}$"}),
    ("last_contact", "Last contact", "date", {}),
    ("last_contact_agent", "Last contact agent", "text", {}),
    ("contact_summary", "Contact summary", "textarea", {}),
    ("annual_value", "Annual value", "decimal", {}),
    ("priority_support", "Priority support", "checkbox", {"tag": "priority_support"}),
    ("legacy_code", "Legacy code", "text", {"active": False}),
)
