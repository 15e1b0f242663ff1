"""What Messenger and Instagram share: how their calls are taken apart, what their events say, how an answer leaves."""
