"""A folder of pictures to a listing."""
