"""What the page asks for, one file per kind of thing."""
