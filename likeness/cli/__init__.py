"""The command: parse, wire, print."""
