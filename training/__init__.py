"""messages.jsonl in, a model folder out."""
