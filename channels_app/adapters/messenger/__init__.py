"""The door to Facebook Messenger and the comments under a page's posts."""
