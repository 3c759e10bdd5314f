"""What `cutproof new` writes, as text: `model.txt`, a protocol, and `driver.txt`, a program and its driver. `NAME` in
them is the name of the protocol, `FILE` that of its file, and `DRIVER` that of the driver's."""

__all__: list[str] = []
