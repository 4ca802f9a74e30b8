"""What a dynamic data mapping says and what is wrong with it: contents, drafts, checks. No HTTP."""
