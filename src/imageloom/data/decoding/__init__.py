"""File bytes to RGB pixels, in processes that may crash, hang or eat memory."""
