"""Pictures for people to look at: made small in a process of their own, asked for from a page."""
