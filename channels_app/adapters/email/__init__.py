"""The e-mail door: read mail of any kind, send it, and fetch or receive it."""
