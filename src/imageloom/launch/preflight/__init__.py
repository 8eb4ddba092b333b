"""Whether machines can train together, found out before any rank starts."""
