"""Likeness: turn a person's own chat history into a bot that talks like them.

This package is the language that the three stages share (`messages`, `files`, `dialogue`,
`card`, `errors`) and the command that wires them (`cli`).
"""

__version__ = "0.1.0"
