"""The e-mail door: reading, sending, fetching, over real sockets."""
