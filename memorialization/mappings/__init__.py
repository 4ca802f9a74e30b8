"""What a mapping says and what is wrong with it: contents, drafts, checks, differences, words. No HTTP."""
