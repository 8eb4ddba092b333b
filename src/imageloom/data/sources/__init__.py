"""What people have: folders, tables, archives, and files of other tools, as one listing."""
