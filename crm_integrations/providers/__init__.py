"""The CRM port and the CRMs that are plugged into it, one folder each."""
