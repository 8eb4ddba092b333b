"""Several people in one studio: users, their sessions, what each may do, and who did what."""
