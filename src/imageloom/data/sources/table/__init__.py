"""Tables that name pictures (CSV, lists, JSON Lines) to a listing."""
