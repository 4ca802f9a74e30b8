"""What people type on the pages of dynamic data."""
