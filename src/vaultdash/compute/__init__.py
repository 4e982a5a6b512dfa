"""Heavy work off the event loop."""
