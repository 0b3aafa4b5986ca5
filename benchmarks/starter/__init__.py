"""The starter: a small GPT-2 of our own, from public conversations to `training/starter`."""
