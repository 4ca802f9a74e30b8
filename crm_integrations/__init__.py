"""The core: CRM configurations, authentications, the CRM port, the catalogue of CRM fields, call budgets and audit."""
