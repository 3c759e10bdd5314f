"""Programs in any language, driven by JSON lines on their stdin and stdout. See docs/reference/wire.md.

`envelope.py` is what every line has in common, `messages.py` each message of an adapter, with its declared types;
`schema.py` publishes them. `program.py` starts a program and converses with it, whatever it does in return, and knows
no message; `group.py` is its processes. `client.py` makes an `Adapter` of a command, `server.py` a program of an
`Adapter`.
"""

__all__ = ["client", "envelope", "messages", "program", "schema", "server"]
