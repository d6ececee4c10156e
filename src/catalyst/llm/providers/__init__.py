"""To be written by the room."""
