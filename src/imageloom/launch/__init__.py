"""Starting the processes that train together, and watching over them."""
