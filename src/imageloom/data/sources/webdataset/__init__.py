"""Pictures and labels in tar files, as WebDataset has them."""
