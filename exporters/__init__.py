"""Other people's files to messages."""
